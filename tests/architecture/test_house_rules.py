"""The house keeps its own rules (engine/DESIGN.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("engine", "dicom_node", "slicer_module")
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def modules() -> list[Path]:
    return sorted(
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "__pycache__" not in path.parts and "Testing" not in path.parts
    )


def mirrors_of(module: Path) -> list[Path]:
    """Where a module's tests may lie: its mirror, or its room's mirror."""
    relative = module.relative_to(ROOT)
    parts = relative.parts[1:] if relative.parts[0] == "engine" else relative.parts
    folder = ROOT / "tests" / Path(*parts[:-1])
    return [folder / f"test_{relative.stem}.py", *folder.glob("test_*.py")]


def test_every_room_has_a_mirror_in_the_tests() -> None:
    """Each folder with code has a folder of the same name with tests that exist."""
    lonely = sorted(
        {
            str(module.parent.relative_to(ROOT))
            for module in modules()
            if module.stem != "__init__" and not any(p.exists() for p in mirrors_of(module))
        }
    )
    assert lonely == []


def test_no_file_is_longer_than_the_ceiling() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in modules()
        if (count := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_nothing_is_a_drawer() -> None:
    assert [str(p) for p in modules() if p.stem in DRAWERS or p.parent.name in DRAWERS] == []


@pytest.mark.parametrize("limit", [40])
def test_functions_stay_readable(limit: int) -> None:
    """No function body is longer than the limit, docstring not counted."""
    long = {}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body
                if ast.get_docstring(node):
                    body = body[1:]
                if body and (size := (body[-1].end_lineno or 0) - body[0].lineno + 1) > limit:
                    long[f"{path.relative_to(ROOT)}:{node.name}"] = size
    assert long == {}


def test_every_public_function_says_what_it_does() -> None:
    silent = []
    for path in modules():
        for node in ast.parse(path.read_text()).body:
            is_named = isinstance(node, ast.FunctionDef | ast.ClassDef)
            if is_named and not node.name.startswith("_") and not ast.get_docstring(node):
                silent.append(f"{path.relative_to(ROOT)}:{node.name}")
    assert silent == []


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_file_names_a_path_of_one_machine() -> None:
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    marks = tuple(f"/{name}/" for name in ("work", "farm", "home"))
    guilty = []
    for name in listing.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".toml", ".md", ".sh", ".c", ".txt", ".cfg", ".json"}:
            text = path.read_text(encoding="utf-8", errors="replace")
            if any(mark in text for mark in marks):
                guilty.append(name)
    assert guilty == []
