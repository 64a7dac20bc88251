"""One headless Slicer for all tests of the module, and a recorded engine."""

from tests.phantoms.slicer_stand.fixtures import panel, recorded, scene, spin, stand, volume

__all__ = ["panel", "recorded", "scene", "spin", "stand", "volume"]
