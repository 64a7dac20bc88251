"""The extension is complete when it is installed (issue 7, must show 3)."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STAND = ROOT / "tests" / "phantoms" / "slicer_stand"
MODULES = Path("lib/Slicer-5.12/qt-scripted-modules")


def configure(source: Path, build: Path) -> subprocess.CompletedProcess[str]:
    """Configure the extension against the stand-in for Slicer."""
    cmake = shutil.which("cmake")
    assert cmake, "CMake is needed: install the Debian package cmake"
    package = f"-DSlicer_DIR={STAND / 'cmake'}"
    command = [cmake, "-S", str(source), "-B", str(build), package, "-DBUILD_TESTING=ON"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def copy_extension(target: Path) -> Path:
    """The files of the extension alone."""
    target.mkdir()
    shutil.copy(ROOT / "CMakeLists.txt", target)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "slicer_module", target / "slicer_module", ignore=ignore)
    return target


def test_the_installed_panel_comes_up(tmp_path: Path) -> None:
    done = configure(ROOT, tmp_path / "build")
    assert done.returncode == 0, done.stderr
    install = ["cmake", "--install", str(tmp_path / "build"), "--prefix", str(tmp_path / "tree")]
    subprocess.run(install, check=True, capture_output=True)
    picture = tmp_path / "panel.png"
    program = [sys.executable, "-m", "tests.phantoms.slicer_stand.installed_panel"]
    modules = str(tmp_path / "tree" / MODULES)
    shown = subprocess.run(
        [*program, modules, str(picture)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr + shown.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_an_unlisted_file_stops_the_build(tmp_path: Path) -> None:
    source = copy_extension(tmp_path / "source")
    (source / "slicer_module" / "HepatoCast" / "HepatoCastLib" / "forgotten.py").touch()
    done = configure(source, tmp_path / "build")
    assert done.returncode != 0
    assert "forgotten.py exists but is not listed" in done.stderr


@pytest.mark.parametrize("field", ["category", "scm_url", "tier"])
def test_the_index_entry_says_what_the_index_asks(field: str) -> None:
    entry = json.loads((ROOT / "HepatoCast.json").read_text())
    assert entry[field]
    assert entry["category"] == "Segmentation"


def test_the_project_is_named_like_the_entry() -> None:
    assert "project(HepatoCast " in (ROOT / "CMakeLists.txt").read_text()
