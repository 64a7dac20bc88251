"""One click sends, and says where to and what came of it (issue 7, send)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.dicom_node.testbed import Orthanc, free_port

ROOT = Path(__file__).parents[3]
Spin = Callable[..., None]
KINDS = ("SEG", "RTSTRUCT", "SC", "PDF", "SR")


@pytest.fixture
def shown(panel: Any, volume: Any, spin: Spin, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The panel with a result; from here on the real engine answers."""
    panel.parameters.inputVolume = volume
    panel.ui.applyButton.click()
    spin(lambda: not panel.presenter.state.busy)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return panel


def rows(panel: Any) -> list[list[str]]:
    table = panel.ui.sentTable.mrmlTableNode()
    columns = range(table.GetNumberOfColumns())
    return [[table.GetCellText(r, c) for c in columns] for r in range(table.GetNumberOfRows())]


def objects(panel: Any) -> int:
    folder = Path(panel.presenter.state.report).parent
    files = json.loads((folder / "result.json").read_text())["files"]
    return sum(f["kind"] in KINDS and bool(f["sop_instance_uid"]) for f in files)


def test_nothing_is_sent_without_a_destination_and_a_result(panel: Any) -> None:
    panel.ui.destinationEdit.text = ""
    assert panel.ui.sendButton.text == "Send"
    panel.ui.destinationEdit.text = "PACS@host:104"
    assert panel.ui.sendButton.text == "Send to PACS@host:104"
    assert not panel.ui.sendButton.enabled
    panel.ui.destinationEdit.text = ""


def test_a_click_sends_to_the_named_pacs_and_tells_each_answer(
    shown: Any, spin: Spin, tmp_path: Path
) -> None:
    pacs = Orthanc(tmp_path / "pacs", free_port(), route=False).start()
    try:
        destination = f"ORTHANC@127.0.0.1:{pacs.dicom_port}"
        shown.ui.destinationEdit.text = destination
        assert shown.ui.sendButton.enabled
        assert pacs.instance_uids() == []
        shown.ui.sendButton.click()
        assert not shown.ui.sendButton.enabled
        spin(lambda: not shown.courier.busy)
        count = objects(shown)
        told = f"{count} of {count} objects accepted by {destination}"
        assert shown.ui.sendStatus.text == told
        assert len(pacs.instance_uids()) == count
        assert {(row[2], row[4]) for row in rows(shown)} == {(destination, "accepted")}
    finally:
        pacs.stop()
        shown.ui.destinationEdit.text = ""


def test_a_pacs_that_is_not_there_is_told(shown: Any, spin: Spin) -> None:
    shown.ui.destinationEdit.text = f"NOBODY@127.0.0.1:{free_port()}"
    shown.ui.sendButton.click()
    spin(lambda: not shown.courier.busy)
    assert shown.ui.sendStatus.text.startswith(f"0 of {objects(shown)} objects accepted")
    assert {row[4] for row in rows(shown)} == {"NOT ACCEPTED"}
    shown.ui.destinationEdit.text = "no destination"
    shown.ui.sendButton.click()
    spin(lambda: not shown.courier.busy)
    assert "Not sent: InputError: 'no destination' is no destination" in shown.ui.sendStatus.text
    shown.ui.destinationEdit.text = ""
