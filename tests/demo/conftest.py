"""One phantom and one written study for the whole room; building them is the slow part."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.demo.acquisition import Grid
from engine.demo.anatomy import Phantom, build_phantom
from engine.demo.canvas import Canvas
from engine.demo.parameters import DEMO_PARAMETERS
from engine.demo.study import DemoStudy, write_demo_study

COARSE = Grid(shape=(60, 88, 88), spacing_mm=(4.0, 4.0, 4.0))
SMALL = Grid(shape=(12, 40, 40), spacing_mm=(8.0, 8.0, 8.0))


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    """The demo patient on a coarse grid; tests must not change it."""
    return build_phantom(DEMO_PARAMETERS, COARSE.shape, COARSE.spacing_mm)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoStudy, list[tuple[float, str]]]:
    """A small demo study, and what its progress said."""
    said: list[tuple[float, str]] = []
    folder = tmp_path_factory.mktemp("demo") / "study"
    study = write_demo_study(folder, grid=SMALL, progress=lambda f, t: said.append((f, t)))
    return study, said


@pytest.fixture(scope="session")
def study(written: tuple[DemoStudy, list[tuple[float, str]]]) -> DemoStudy:
    """A small demo study."""
    return written[0]


@pytest.fixture
def canvas() -> Canvas:
    """An empty canvas of 60 mm, 1 mm voxels, without warp."""
    axis = np.arange(-30.0, 31.0)
    return Canvas((axis, axis, axis), (1.0, 1.0, 1.0), 0.0, np.random.default_rng(0))


@pytest.fixture(scope="session")
def dciodvfy_errors() -> Callable[[Path], list[str]]:
    """Errors that dicom3tools finds in one file."""
    return find_errors


def find_errors(path: Path) -> list[str]:
    program = shutil.which("dciodvfy")
    if program is None:
        raise RuntimeError("dciodvfy is missing: apt-get install -y dicom3tools")
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if line.startswith("Error")]
