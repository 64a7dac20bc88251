"""What several topics of acceptance share."""

import pytest

from tests.phantoms.demo_run import Demo, run_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`hepatocast demo`, once per session."""
    return run_demo(tmp_path_factory.mktemp("demo"))
