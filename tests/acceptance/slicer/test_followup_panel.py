"""An earlier result against the one in the scene (issue 7, follow-up)."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest

ROOT = Path(__file__).parents[3]
Spin = Callable[..., None]


@pytest.fixture
def earlier(recorded: Path, tmp_path: Path) -> Path:
    """The same phantom half a year before, as a result of another study."""
    folder = tmp_path / "earlier"
    shutil.copytree(recorded, folder)
    document = json.loads((folder / "result.json").read_text())
    document["study_instance_uid"] = "2.25.4711"
    (folder / "result.json").write_text(json.dumps(document))
    seg = pydicom.dcmread(folder / "seg.dcm")
    seg.StudyInstanceUID, seg.StudyDate = "2.25.4711", "20230911"
    seg.save_as(folder / "seg.dcm")
    return folder


def cells(view: Any) -> list[list[str]]:
    table = view.mrmlTableNode()
    columns = range(table.GetNumberOfColumns())
    return [[table.GetCellText(r, c) for c in columns] for r in range(table.GetNumberOfRows())]


def test_two_time_points_stand_side_by_side(
    panel: Any, volume: Any, spin: Spin, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.parameters.inputVolume = volume
    panel.ui.applyButton.click()
    spin(lambda: not panel.presenter.state.busy)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    panel.ui.earlierEdit.currentPath = str(earlier)
    panel.ui.compareButton.click()
    assert not panel.ui.compareButton.enabled
    spin(lambda: not panel.followup.busy)
    assert panel.ui.compareStatus.text.startswith("RECIST 1.1: stable disease")
    groups = cells(panel.ui.followupTable)
    assert [row[:3] for row in groups] == [["1", "1", "matched"], ["2", "2", "matched"]]
    assert all(row[3] == row[4] for row in groups)
    responses = cells(panel.ui.responseTable)
    assert [row[0] for row in responses] == ["RECIST 1.1", "mRECIST"]
    assert responses[0][3] == "+0.0%"
    assert responses[1][4] == "not decided"


def test_a_folder_that_is_no_result_is_named(
    panel: Any, volume: Any, spin: Spin, tmp_path: Path
) -> None:
    panel.parameters.inputVolume = volume
    panel.ui.applyButton.click()
    spin(lambda: not panel.presenter.state.busy)
    panel.ui.earlierEdit.currentPath = str(tmp_path)
    panel.ui.compareButton.click()
    assert "Choose the folder of an earlier result" in panel.ui.compareStatus.text
