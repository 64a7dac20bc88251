"""Self test for CTest inside the real Slicer; starts no engine."""

import unittest

import slicer


class HepatoCastPanelTest(unittest.TestCase):
    """The panel comes up and follows the scene."""

    def test_panel(self) -> None:
        """Run the module's own self test."""
        slicer.util.selectModule("HepatoCast")
        from HepatoCast import HepatoCastTest

        HepatoCastTest().runTest()
