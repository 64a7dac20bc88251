"""Edit in the scene, update, save and reload, update again (issue 7, correction loop).

The real engine measures; a tiny threshold package stands for the trained network.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest
from tests.phantoms.corrected import LESION_HU
from tests.phantoms.packages import write_threshold_package
from tests.phantoms.recorded_result import write_phantom_series
from tests.phantoms.report_patient import TWO_LESIONS

ROOT = Path(__file__).parents[3]
Spin = Callable[..., None]


@pytest.fixture
def analyzed(
    panel: Any,
    volume: Any,
    stand: SimpleNamespace,
    spin: Spin,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """The panel after one run of the real engine on a DICOM volume with two lesions."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    lesions = tuple(replace(ball, hu=LESION_HU) for ball in TWO_LESIONS)
    paths = write_phantom_series(tmp_path / "study", lesions=lesions)
    stand.record.files = paths
    volume.SetAttribute("DICOM.instanceUIDs", " ".join(paths))
    panel.parameters.inputVolume = volume
    panel.parameters.forceCpu = True
    panel.parameters.model = str(write_threshold_package(tmp_path / "models"))
    assert not panel.ui.updateButton.enabled
    panel.ui.applyButton.click()
    spin(lambda: not panel.presenter.state.busy, seconds=300)
    assert panel.ui.statusLabel.text.startswith("2 lesions")
    assert panel.ui.updateButton.enabled
    return panel


def folder_of(panel: Any) -> Path:
    return Path(panel.presenter.state.report).parent


def record_of(panel: Any) -> dict[str, Any]:
    from HepatoCastLib import outputs

    record = outputs.shown_record()
    assert record is not None
    return record


def update(panel: Any, spin: Spin) -> str:
    panel.ui.updateButton.click()
    assert panel.presenter.state.busy
    spin(lambda: not panel.presenter.state.busy, seconds=300)
    return str(panel.ui.statusLabel.text)


def set_mask(panel: Any, identifier: str, mask: np.ndarray) -> None:
    """What the Segment Editor does in the end: another label map for the segment."""
    import slicer

    segmentation, volume = panel.parameters.segmentation, panel.parameters.inputVolume
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask.astype(np.uint8), segmentation, identifier, volume
    )


def mask_of(panel: Any, identifier: str, node: Any = None) -> np.ndarray:
    from HepatoCastLib import exchange

    segmentation = node or panel.parameters.segmentation
    return exchange.segment_mask(segmentation, identifier, panel.parameters.inputVolume)


def test_untouched_segments_give_the_same_features(analyzed: Any, spin: Spin) -> None:
    features = (folder_of(analyzed) / "features.json").read_bytes()
    assert update(analyzed, spin).startswith("Corrected: 2 lesions")
    assert b"Volume" in features
    assert (folder_of(analyzed) / "features.json").read_bytes() == features
    assert {c["dice"] for c in record_of(analyzed)["revision"]["changes"]} == {1.0}


def test_an_edit_is_measured_told_and_signed(analyzed: Any, spin: Spin) -> None:
    import slicer
    from HepatoCastLib import outputs

    automatic_sr = pydicom.dcmread(folder_of(analyzed) / "sr.dcm").SOPInstanceUID
    before = mask_of(analyzed, "lesion-2")
    grown = before.copy()
    grown[:, :, 1:] |= before[:, :, :-1]
    set_mask(analyzed, "lesion-2", grown)
    analyzed.review.decide("lesion-2", "accepted")
    analyzed.ui.observerEdit.text = "Weber^Anna"
    analyzed.ui.organizationEdit.text = "Radiology"
    assert update(analyzed, spin).startswith("Corrected: 2 lesions")

    changes = {c["now"]: c for c in record_of(analyzed)["revision"]["changes"]}
    common, total = int((before & grown).sum()), int(before.sum() + grown.sum())
    assert changes["Lesion 2"]["dice"] == pytest.approx(2 * common / total)
    assert changes["Lesion 2"]["origin"] == "SEMIAUTOMATIC"
    assert changes["Lesion 2"]["decision"] == "accepted"
    assert changes["Lesion 1"]["dice"] == 1.0
    assert np.array_equal(mask_of(analyzed, "lesion-2"), grown)
    original = outputs.find_node("vtkMRMLSegmentationNode", "automatic")
    assert np.array_equal(mask_of(analyzed, "lesion-2", original), before)
    assert not original.GetDisplayNode().GetVisibility()

    sr = pydicom.dcmread(folder_of(analyzed) / "sr.dcm")
    assert sr.VerificationFlag == "VERIFIED"
    assert sr.VerifyingObserverSequence[0].VerifyingObserverName == "Weber^Anna"
    referenced = sr.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert referenced.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == automatic_sr

    table = analyzed.ui.changeTable.mrmlTableNode()
    shown = [[table.GetCellText(r, c) for c in range(6)] for r in range(table.GetNumberOfRows())]
    assert shown[2][0] == "Lesion 2"
    assert shown[2][3] == f"{2 * common / total:.3f}"
    assert shown[2][4:] == ["semiautomatic", "accepted"]
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") != []


def test_a_lesion_is_added_and_another_rejected(analyzed: Any, spin: Spin) -> None:
    segmentation = analyzed.parameters.segmentation
    identifier = segmentation.GetSegmentation().AddEmptySegment("Segment_1", "by hand")
    new = np.zeros_like(mask_of(analyzed, "liver"))
    new[14:18, 28:34, 18:24] = True
    new &= mask_of(analyzed, "liver")
    assert new.any()
    set_mask(analyzed, identifier, new)
    analyzed.ui.decisionTable.rowCount  # noqa: B018 - the row is there before the click
    assert [name for name, _ in analyzed.review.decisions()] == ["lesion-1", "lesion-2", identifier]
    analyzed.review.decide("lesion-1", "rejected")
    assert update(analyzed, spin).startswith("Corrected: 2 lesions")
    changes = record_of(analyzed)["revision"]["changes"]
    told = [(c["was"], c["now"], c["origin"], c["decision"]) for c in changes[1:]]
    assert told == [
        ("Lesion 2", "Lesion 1", "AUTOMATIC", "not reviewed"),
        ("", "Lesion 2", "MANUAL", "not reviewed"),
        ("Lesion 1", "", "AUTOMATIC", "rejected"),
    ]
    assert np.array_equal(mask_of(analyzed, "lesion-2"), new)
    held = analyzed.parameters.segmentation.GetSegmentation()
    assert held.GetSegment("Segment_1") is None
    assert {decision for _, decision in analyzed.review.decisions()} == {"not reviewed"}


def test_the_loop_goes_on_after_save_and_reload(analyzed: Any, spin: Spin, tmp_path: Path) -> None:
    """The second correction supersedes both reports and is held against the automatic result."""
    import slicer

    set_mask(analyzed, "lesion-2", np.roll(mask_of(analyzed, "lesion-2"), 1, axis=2))
    update(analyzed, spin)
    first = record_of(analyzed)
    bundle = str(tmp_path / "scene.mrb")
    assert slicer.mrmlScene.WriteToMRB(bundle)
    slicer.mrmlScene.Clear(0)
    spin(lambda: not analyzed.presenter.state.busy)
    assert not analyzed.ui.updateButton.enabled
    assert slicer.mrmlScene.ReadFromMRB(bundle)
    analyzed.close_scene()
    analyzed.open_scene()
    assert analyzed.ui.updateButton.enabled
    assert record_of(analyzed)["revision"] == first["revision"]
    set_mask(analyzed, "lesion-2", np.roll(mask_of(analyzed, "lesion-2"), -1, axis=2))
    update(analyzed, spin)
    second = record_of(analyzed)
    assert [p["sop_instance_uid"] for p in second["predecessors"]] == [
        first["predecessors"][0]["sop_instance_uid"],
        next(f["sop_instance_uid"] for f in first["files"] if f["name"] == "sr.dcm"),
    ]
    assert [c["dice"] for c in second["revision"]["changes"]] == [1.0, 1.0, 1.0]
    assert second["revision"]["automatic_job_id"] == first["revision"]["automatic_job_id"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("liver", "no liver segment any more"),
        ("grid", "drawn on another grid than the CT"),
        ("transform", "hangs below a transform"),
    ],
)
def test_segments_that_cannot_be_measured_are_named(
    analyzed: Any, spin: Spin, spoil: str, told: str
) -> None:
    import slicer

    segmentation = analyzed.parameters.segmentation
    if spoil == "liver":
        segmentation.GetSegmentation().RemoveSegment("liver")
    elif spoil == "grid":
        image = (
            segmentation.GetSegmentation()
            .GetSegment("lesion-1")
            .GetRepresentation("Binary labelmap")
        )
        image.SetOrigin(*(value + 1.3 for value in image.GetOrigin()))
    else:
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        segmentation.SetAndObserveTransformNodeID(transform.GetID())
    report = analyzed.presenter.state.report
    assert told in update(analyzed, spin)
    assert Path(report).is_file()
    assert json.dumps(record_of(analyzed))


def test_a_name_without_an_organization_is_asked_for(analyzed: Any) -> None:
    analyzed.ui.observerEdit.text = "Weber^Anna"
    analyzed.ui.updateButton.click()
    assert not analyzed.presenter.state.busy
    assert "organization" in analyzed.ui.statusLabel.text
