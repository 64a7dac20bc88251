"""Plant bugs in the Slicer module, one at a time; the suite must catch every one.

Usage: python tests/acceptance/slicer/mutations.py [NAME ...]
Prints one line per bug; the exit status is the number of bugs that nobody noticed.
"""

import importlib
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODULE = "slicer_module/HepatoCast"
LIBRARY = f"{MODULE}/HepatoCastLib"
PANEL_TESTS = "tests/slicer_module/HepatoCast/test_HepatoCast.py"
LIBRARY_TESTS = "tests/slicer_module/HepatoCast/HepatoCastLib"
LOOP_TESTS = "tests/acceptance/slicer/test_correction_loop.py"
LINKED = ("engine", "dicom_node", "models", "pyproject.toml")
COPIED = ("slicer_module", "tests")
SLOW_IMPORTS = ("slicer", "vtk", "PySide6.QtUiTools", "highdicom", "numpy")
TESTS_FAILED = 1  # pytest's exit code; 2 and more mean that it could not run


@dataclass(frozen=True, slots=True)
class Bug:
    """One planted bug: this text in this file becomes that; these tests should notice."""

    name: str
    file: str
    text: str
    planted: str
    tests: str


BUGS = (
    Bug(
        "widget name misspelled",
        f"{LIBRARY}/widget.py",
        "ui.cancelButton.visible",
        "ui.cancleButton.visible",
        PANEL_TESTS,
    ),
    Bug(
        "signal misspelled",
        f"{LIBRARY}/widget.py",
        'ui.applyButton.connect("clicked(bool)"',
        'ui.applyButton.connect("click(bool)"',
        PANEL_TESTS,
    ),
    Bug(
        "property misspelled",
        f"{LIBRARY}/widget.py",
        "ui.progressBar.value = state.percent",
        "ui.progressBar.valeu = state.percent",
        PANEL_TESTS,
    ),
    Bug(
        "property misspelled in the .ui file",
        f"{MODULE}/Resources/UI/HepatoCast.ui",
        '<property name="readOnly">',
        '<property name="readonly">',
        PANEL_TESTS,
    ),
    Bug(
        "parameter misspelled in the .ui file",
        f"{MODULE}/Resources/UI/HepatoCast.ui",
        ">forceCpu<",
        ">forceCPU<",
        PANEL_TESTS,
    ),
    Bug(
        "scene not connected in the .ui file",
        f"{MODULE}/Resources/UI/HepatoCast.ui",
        "<receiver>lesionTable</receiver>",
        "<receiver>burdenTable</receiver>",
        PANEL_TESTS,
    ),
    Bug(
        "forgotten tumor",
        f"{LIBRARY}/outputs.py",
        "for segment, box in result.segments:\n        there",
        "for segment, box in result.segments[:-1]:\n        there",
        f"{LIBRARY_TESTS}/test_outputs.py",
    ),
    Bug(
        "liver without its tumors",
        f"{LIBRARY}/outputs.py",
        "return (labels > 0)",
        "return (labels == 1)",
        f"{LIBRARY_TESTS}/test_outputs.py",
    ),
    Bug(
        "frame of reference not compared",
        f"{LIBRARY}/unpacking.py",
        "if wanted and seg.FrameOfReferenceUID != wanted:",
        "if not wanted:",
        f"{LIBRARY_TESTS}/test_unpacking.py",
    ),
    Bug(
        "position not compared",
        f"{LIBRARY}/unpacking.py",
        "if gap > ON_GRID_VOXELS or not",
        "if not",
        f"{LIBRARY_TESTS}/test_unpacking.py",
    ),
    Bug(
        "reference geometry missing",
        f"{LIBRARY}/outputs.py",
        "    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)\n",
        "",
        f"{LIBRARY_TESTS}/test_outputs.py::test_edits_happen_on_the_grid_of_the_volume",
    ),
    Bug(
        "RAS taken for LPS",
        f"{LIBRARY}/exchange.py",
        "FLIP_XY = np.diag([-1.0, -1.0, 1.0, 1.0])",
        "FLIP_XY = np.diag([1.0, 1.0, 1.0, 1.0])",
        f"{LIBRARY_TESTS}/test_exchange.py",
    ),
    Bug(
        "rulers mirrored",
        f"{LIBRARY}/outputs.py",
        'exchange.to_ras(np.array(lesion[axis]["ends_mm"]))',
        'np.array(lesion[axis]["ends_mm"])',
        f"{LIBRARY_TESTS}/test_outputs.py::test_rulers_lie_on_the_measured_diameters",
    ),
    Bug(
        "reversed stack shown as it is",
        f"{LIBRARY}/grid.py",
        "alignment[row, axis] < 0",
        "alignment[row, axis] < -9",
        f"{LIBRARY_TESTS}/test_grid.py",
    ),
    Bug(
        "terminology category swapped",
        f"{LIBRARY}/segments.py",
        "(CATEGORIES, self.category, self.type,",
        "(CATEGORIES, self.type, self.category,",
        f"{LIBRARY_TESTS}/test_outputs.py::test_slicer_reads_the_terminology_of_the_seg_object",
    ),
    Bug(
        "cancel kills only the launcher",
        f"{LIBRARY}/run.py",
        "        if self._engine_pid:\n            try:",
        "        if False:\n            try:",
        "tests/slicer_module/HepatoCast/HepatoCastLib/test_run.py",
    ),
    Bug(
        "cancel leaves standard input open",
        f"{LIBRARY}/run.py",
        "        self._stopping = True\n        self._process.closeWriteChannel()",
        "        self._stopping = True",
        "tests/slicer_module/HepatoCast/HepatoCastLib/test_run.py",
    ),
    Bug(
        "a crash looks like success",
        f"{LIBRARY}/run.py",
        "elif code == 0 and self._folder is not None:",
        "else:\n            self._folder = self._folder or Path()",
        f"{PANEL_TESTS}::test_a_failed_run_says_why",
    ),
    Bug(
        "parameters kept over a closed scene",
        f"{LIBRARY}/presenter.py",
        "        self.cancel()\n        self._volumes = ()\n",
        "",
        f"{PANEL_TESTS}::test_closing_the_scene_during_a_run_ends_the_run",
    ),
    Bug(
        "unlisted file",
        f"{MODULE}/CMakeLists.txt",
        "  HepatoCastLib/grid.py\n",
        "",
        "tests/acceptance/slicer/test_packaging.py",
    ),
    Bug(
        "all voxels written in one step",
        f"{LIBRARY}/exchange.py",
        "SLAB_BYTES = 4 * 2**20",
        "SLAB_BYTES = 4 * 2**40",
        f"{LIBRARY_TESTS}/test_pump.py::test_handing_over_a_whole_ct_never_blocks_the_panel",
    ),
    Bug(
        "edits inverted",
        f"{LIBRARY}/exchange.py",
        "hit = values[start : start + depth] == label",
        "hit = values[start : start + depth] != label",
        f"{LOOP_TESTS}::test_an_edit_is_measured_told_and_signed",
    ),
    Bug(
        "edits one slice off",
        f"{LIBRARY}/exchange.py",
        "whole = np.rint(corner[:3])",
        "whole = np.rint(corner[:3]) + np.array([1, 0, 0])",
        f"{LOOP_TESTS}::test_untouched_segments_give_the_same_features",
    ),
    Bug(
        "original overwritten by the correction",
        f"{LIBRARY}/history.py",
        "    if not corrected:\n        yield from keep_original",
        "    if True:\n        yield from keep_original",
        f"{LOOP_TESTS}::test_an_edit_is_measured_told_and_signed",
    ),
    Bug(
        "rejected lesions accepted",
        f"{LIBRARY}/correcting.py",
        'REJECTED: "--reject"',
        'REJECTED: "--accept"',
        f"{LOOP_TESTS}::test_a_lesion_is_added_and_another_rejected",
    ),
    Bug(
        "observer forgotten",
        f"{LIBRARY}/correcting.py",
        "    if review.observer:",
        "    if not review.observer and False:",
        f"{LOOP_TESTS}::test_an_edit_is_measured_told_and_signed",
    ),
    Bug(
        "second correction forgets the first",
        f"{LIBRARY}/correcting.py",
        '    for earlier in job["earlier"]:\n        arguments',
        '    for earlier in job["earlier"][:1]:\n        arguments',
        f"{LOOP_TESTS}::test_the_loop_goes_on_after_save_and_reload",
    ),
    Bug(
        "moved segmentation measured where it was",
        f"{LIBRARY}/correcting.py",
        "if segmentation.GetParentTransformNode() is not None:",
        "if False:",
        f"{LOOP_TESTS}::test_segments_that_cannot_be_measured_are_named",
    ),
    Bug(
        "button names no destination",
        f"{LIBRARY}/widget.py",
        'f"Send to {destination}" if destination else "Send"',
        '"Send to PACS" if destination else "Send"',
        "tests/acceptance/slicer/test_send_from_panel.py::"
        "test_nothing_is_sent_without_a_destination_and_a_result",
    ),
    Bug(
        "model selector misspelled",
        f"{LIBRARY}/widget.py",
        "selector.addItems(listed)",
        "selector.addItem(listed)",
        f"{PANEL_TESTS}::test_the_models_are_shown_before_the_run",
    ),
    Bug(
        "limits of the model not shown",
        f"{LIBRARY}/widget.py",
        "self.ui.modelText.text = self.models",
        "self.ui.modelTxt.text = self.models",
        f"{PANEL_TESTS}::test_the_models_are_shown_before_the_run",
    ),
    Bug(
        "pages turned backwards",
        f"{LIBRARY}/widget.py",
        "lambda *_: self._turn_page(1)",
        "lambda *_: self._turn_page(-1)",
        f"{PANEL_TESTS}::test_the_key_images_are_turned_in_the_panel",
    ),
    Bug(
        "page label misspelled",
        f"{LIBRARY}/widget.py",
        "ui.pageLabel.text =",
        "ui.pageLable.text =",
        f"{PANEL_TESTS}::test_the_key_images_are_turned_in_the_panel",
    ),
    Bug(
        "picture forgotten",
        f"{LIBRARY}/widget.py",
        "        ui.previewLabel.setPixmap(picture)\n",
        "",
        f"{PANEL_TESTS}::test_the_key_images_are_turned_in_the_panel",
    ),
    Bug(
        "install inside the panel's process",
        f"{LIBRARY}/installation.py",
        "environment[PIP_VARIABLE] = json.dumps(self._agreed_install())",
        "slicer.packaging.pip_install(self._agreed_install())",
        f"{LIBRARY_TESTS}/test_installation.py",
    ),
)


def plant(bug: Bug, tree: Path) -> None:
    """Copy the project with one bug in it.

    Raises:
        ValueError: The text to replace is not there exactly once.
    """
    for name in COPIED:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LINKED:
        (tree / name).symlink_to(ROOT / name)
    for name in ("CMakeLists.txt", "HepatoCast.json"):
        shutil.copy(ROOT / name, tree)
    path = tree / bug.file
    text = path.read_text(encoding="utf-8")
    if bug.text not in text:
        raise ValueError(f"{bug.name}: the text to replace is not in {bug.file}")
    path.write_text(text.replace(bug.text, bug.planted, 1), encoding="utf-8")


def is_caught(bug: Bug) -> bool:
    """Run the tests over the planted bug, in a fork of this process (POSIX only)."""
    with tempfile.TemporaryDirectory(prefix="hepatocast-mutation-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        plant(bug, tree)
        child = os.fork()
        if child == 0:
            os._exit(run_tests(bug, tree))
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == TESTS_FAILED


def run_tests(bug: Bug, tree: Path) -> int:
    """Pytest's exit code over one tree, silently."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.dup2(silence, sys.stderr.fileno())
    os.chdir(tree)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", bug.tests]))


def load_once() -> None:
    """Import what every run needs and no bug is planted in: most of a run's time."""
    for name in SLOW_IMPORTS:
        importlib.import_module(name)


def main(names: list[str]) -> int:
    """Plant the named bugs, or all."""
    missed = 0
    load_once()
    for bug in BUGS:
        if names and bug.name not in names:
            continue
        start = time.monotonic()
        caught = is_caught(bug)
        missed += not caught
        word = "caught" if caught else "MISSED"
        sys.stdout.write(f"{word}  {time.monotonic() - start:5.1f} s  {bug.name}\n")
        sys.stdout.flush()
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
