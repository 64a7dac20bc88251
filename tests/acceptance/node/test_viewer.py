"""Must show 7: what the node delivered is seen in OHIF, in real Chromium, against Orthanc.

A real liver CT is auto-routed to the node, analyzed by the real engine, delivered and
committed; then SEG, SR and PDF are opened. Screenshots are kept in .peers/screenshots/viewer.
Takes two to four minutes on two quiet cores.
"""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.acceptance.node.viewer_site import (
    PEERS,
    Viewer,
    WebOrthanc,
    install_playwright,
)
from tests.dicom_node.testbed import ROOT, Node, store, wait_until

pytestmark = pytest.mark.peer

STUDY_ZIP = ROOT / ".." / "shared" / "data" / "ct" / "dicom" / "ircad_01.zip"
ENGINE = [sys.executable, "-c", "import sys; from engine.cli.main import main; sys.exit(main())"]
PICTURES = PEERS / "screenshots" / "viewer"
SCRIPT = Path(__file__).with_name("viewer.mjs")


@dataclass(frozen=True)
class Seen:
    """What the browser saw, and the node's own result for comparison."""

    report: dict[str, Any]
    result: dict[str, Any]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("viewer")
    with zipfile.ZipFile(STUDY_ZIP) as archive:
        archive.extractall(folder / "ct")
    node = Node(folder / "node")
    pacs = WebOrthanc(folder / "pacs", node.port).start()  # type: ignore[assignment]
    viewer = Viewer(folder / "viewer", pacs)  # type: ignore[arg-type]
    try:
        node.configure(pacs.dicom_port, dashboard="enabled = false", quiet_seconds=3)
        text = node.path.read_text()
        for key, word in (("command", "analyze"), ("warm_command", "work")):
            program = f"{key} = {json.dumps([*ENGINE, word])}"
            text = re.sub(rf"(?m)^{key} = .*$", lambda _, line=program: line, text)
        node.path.write_text(text)
        node.start()
        viewer.start()
        files = sorted((folder / "ct").rglob("*.dcm"))
        assert store(pacs.dicom_port, files, called="TESTPACS") == 0
        wait_until(lambda: "delivered" in node.job_states().values(), seconds=900, what="delivered")
        yield look(node, viewer)
    finally:
        node.stop()
        viewer.stop()
        pacs.stop()


def look(node: Node, viewer: Viewer) -> Seen:
    """Open SEG, SR and PDF in the browser."""
    (path,) = (node.folder / "state" / "results").glob("*/result.json")
    result = json.loads(path.read_text())
    slice_number = result["lesions"][0]["long_axis"]["slice_index"] + 1
    install_playwright()
    PICTURES.mkdir(parents=True, exist_ok=True)
    (study,) = node.job_states()
    done = subprocess.run(
        ["node", SCRIPT, viewer.base, study, PICTURES, str(slice_number)],
        capture_output=True, text=True, timeout=900, check=False,
        env={**os.environ, "PEERS": str(PEERS)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Seen(json.loads(done.stdout), result)


def colored(name: str) -> NDArray[np.bool_]:
    """Pixels with color; a CT is gray."""
    pixels = np.asarray(Image.open(PICTURES / name).convert("RGB")).astype(int)
    return np.asarray(pixels.max(axis=2) - pixels.min(axis=2) > 30)


def test_the_segmentation_lies_over_the_liver(seen: Seen) -> None:
    """Colored pixels appear with the SEG, on the patient's right: the left of the picture."""
    assert seen.report["segHydrated"]
    before, after = colored("ct.png"), colored("seg.png")
    height, width = after.shape
    new = after & ~before[:height, :width] if before.shape == after.shape else after
    assert new.sum() > 0.02 * new.size
    assert np.nonzero(new)[1].mean() < 0.5 * width


def shown_at(result: dict[str, Any], point_mm: list[float], size: tuple[int, int]) -> Any:  # noqa: ANN401
    """Where a viewport that fits the image shows a point of the patient: (x, y) in pixels."""
    grid = result["reference"]["geometry"]
    index = (np.array(point_mm) - grid["origin_mm"]) @ np.array(grid["directions"])
    index /= np.array(grid["spacing_mm"])
    _, rows, columns = grid["shape"]
    scale = min(size[0] / columns, size[1] / rows)
    center = np.array(size) / 2.0
    return center + (index[[2, 1]] + 0.5 - np.array([columns, rows]) / 2.0) * scale


def test_the_report_opens_at_the_largest_lesion(seen: Seen) -> None:
    """On its slice, with the outline in green through both ends of its long axis."""
    assert "TimeoutError" not in " ".join(seen.report["errors"])
    lesion = seen.result["lesions"][0]
    assert lesion["volume_ml"] == max(x["volume_ml"] for x in seen.result["lesions"])
    slices = seen.result["reference"]["geometry"]["shape"][0]
    slice_index = lesion["long_axis"]["slice_index"]
    shown = re.search(r"\((\d+)/(\d+)\)", seen.report["srSlice"])
    assert shown is not None, seen.report["srSlice"]
    # OHIF counts an axial stack from the head, the engine from the feet.
    assert int(shown[1]) == slices - slice_index
    image = Image.open(PICTURES / "sr.png").convert("RGB")
    pixels = np.asarray(image).astype(int)
    is_green = (pixels[..., 1] > 200) & (pixels[..., 0] < 90) & (pixels[..., 2] < 90)
    rows, columns = np.nonzero(is_green)
    assert len(rows) > 500
    for end in lesion["long_axis"]["ends_mm"]:
        x, y = shown_at(seen.result, end, image.size)
        assert np.hypot(columns - x, rows - y).min() < 8, (x, y)


def test_the_pdf_is_shown_in_place(seen: Seen) -> None:
    """A page of the report: mostly white, with ink on it."""
    assert seen.report["pdf"]
    gray = np.asarray(Image.open(PICTURES / "pdf.png").convert("L"))
    assert (gray > 240).mean() > 0.15
    assert (gray < 100).mean() > 0.002
