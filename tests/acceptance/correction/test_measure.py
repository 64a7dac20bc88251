"""`hepatocast measure` as a radiologist meets it (issue 7, correction loop)."""

import datetime
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from engine.cli.main import main
from engine.reporting.result_json import load_schema
from tests.phantoms.corrected import (
    Analyzed,
    Masks,
    analyze_phantom,
    read_document,
    read_masks,
    untouched,
    write_labelmap,
    write_seg,
)

OBSERVER = ("--observer", "Weber^Anna", "--organization", "Radiology")


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory: pytest.TempPathFactory) -> Analyzed:
    return analyze_phantom(tmp_path_factory.mktemp("measure"))


def grow(masks: Masks) -> None:
    """Lesion 2 one voxel larger to both sides along the columns, at the cost of no other."""
    wide = masks["Lesion 2"].copy()
    wide[:, :, 1:] |= masks["Lesion 2"][:, :, :-1]
    wide[:, :, :-1] |= masks["Lesion 2"][:, :, 1:]
    masks["Lesion 2"] = wide & masks["Liver"]


def add(masks: Masks) -> None:
    """A new lesion where the liver is and no lesion is."""
    free = masks["Liver"] & ~masks["Lesion 1"] & ~masks["Lesion 2"]
    index = np.argwhere(free)
    near = np.linalg.norm((index - index.mean(axis=0)) * (3, 4, 4), axis=1) < 9
    masks["Segment_1"] = np.zeros_like(free)
    masks["Segment_1"][tuple(index[near].T)] = True


@pytest.fixture(scope="module")
def grown(analyzed: Analyzed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grown")
    drawing = write_seg(analyzed, folder / "drawn.dcm", grow)
    moment = ("--created-at", "2026-05-06T07:08:09+02:00")
    assert analyzed.measure(drawing, folder / "out", *OBSERVER, *moment, "--accept", "all") == 0
    return folder / "out"


def change(folder: Path, name: str) -> dict[str, Any]:
    changes = read_document(folder)["revision"]["changes"]
    return next(c for c in changes if name in (c["now"], c["was"]))


def test_the_change_is_told_in_volume_and_dice(analyzed: Analyzed, grown: Path) -> None:
    before, masks = read_masks(analyzed), read_masks(analyzed)
    grow(masks)
    common = int((before["Lesion 2"] & masks["Lesion 2"]).sum())
    sizes = int(before["Lesion 2"].sum()), int(masks["Lesion 2"].sum())
    told = change(grown, "Lesion 2")
    assert told["dice"] == pytest.approx(2 * common / sum(sizes))
    assert told["volume_before_ml"] == pytest.approx(sizes[0] * 0.048)
    assert told["volume_ml"] == pytest.approx(sizes[1] * 0.048)
    assert told["origin"] == "SEMIAUTOMATIC"
    assert change(grown, "Lesion 1")["origin"] == "AUTOMATIC"
    assert read_document(grown)["lesions"][1]["confidence"] is None
    assert read_document(grown)["lesions"][0]["confidence"] > 0.5


def test_the_report_supersedes_and_names_its_observer(analyzed: Analyzed, grown: Path) -> None:
    earlier = pydicom.dcmread(analyzed.result / "sr.dcm")
    sr = pydicom.dcmread(grown / "sr.dcm")
    series = sr.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == earlier.SeriesInstanceUID
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == earlier.SOPInstanceUID
    assert sr.SOPInstanceUID != earlier.SOPInstanceUID
    assert earlier.VerificationFlag == "UNVERIFIED"
    assert sr.VerificationFlag == "VERIFIED"
    observer = sr.VerifyingObserverSequence[0]
    assert (observer.VerifyingObserverName, observer.VerifyingOrganization) == (
        "Weber^Anna",
        "Radiology",
    )
    assert observer.VerificationDateTime == "20260506070809+0200"
    seen = read_document(grown)["revision"]["observer"]
    moment = datetime.datetime.fromisoformat(seen["verified_at"])
    assert moment == datetime.datetime.fromisoformat("2026-05-06T07:08:09+02:00")


def test_each_segment_says_who_drew_it_and_keeps_its_identity(
    analyzed: Analyzed, grown: Path
) -> None:
    before, now = (pydicom.dcmread(f / "seg.dcm").SegmentSequence for f in (analyzed.result, grown))
    assert [s.TrackingUID for s in now] == [s.TrackingUID for s in before]
    assert [s.SegmentAlgorithmType for s in now] == ["AUTOMATIC", "AUTOMATIC", "SEMIAUTOMATIC"]


def test_an_added_lesion_is_manual_and_has_no_algorithm(analyzed: Analyzed, tmp_path: Path) -> None:
    assert analyzed.measure(write_seg(analyzed, tmp_path / "d.dcm", add), tmp_path / "out") == 0
    told = change(tmp_path / "out", "Lesion 3")
    assert (told["was"], told["origin"], told["dice"]) == ("", "MANUAL", None)
    segment = pydicom.dcmread(tmp_path / "out" / "seg.dcm").SegmentSequence[3]
    assert segment.SegmentAlgorithmType == "MANUAL"
    assert "SegmentAlgorithmName" not in segment
    assert segment.TrackingUID == told["tracking_uid"]
    assert pydicom.dcmread(tmp_path / "out" / "sr.dcm").VerificationFlag == "UNVERIFIED"


def test_a_rejected_lesion_is_gone_and_told(analyzed: Analyzed, tmp_path: Path) -> None:
    drawing = analyzed.result / "seg.dcm"
    assert analyzed.measure(drawing, tmp_path / "out", "--reject", "1", "--accept", "2") == 0
    document = read_document(tmp_path / "out")
    assert [le["tracking_uid"] for le in document["lesions"]] == [
        analyzed.document["lesions"][1]["tracking_uid"]
    ]
    told = change(tmp_path / "out", "Lesion 1")
    kept = next(c for c in document["revision"]["changes"] if c["now"] == "Lesion 1")
    assert (kept["was"], kept["decision"], kept["dice"]) == ("Lesion 2", "accepted", 1.0)
    gone = next(c for c in document["revision"]["changes"] if not c["now"])
    assert (gone["was"], gone["decision"], gone["volume_ml"]) == ("Lesion 1", "rejected", None)
    assert told is not None
    assert document["liver"]["volume_ml"] == analyzed.document["liver"]["volume_ml"]


def test_a_removed_lesion_is_told_without_a_decision(analyzed: Analyzed, tmp_path: Path) -> None:
    def drop(masks: Masks) -> None:
        del masks["Lesion 2"]

    assert analyzed.measure(write_seg(analyzed, tmp_path / "d.dcm", drop), tmp_path / "out") == 0
    told = change(tmp_path / "out", "Lesion 2")
    assert (told["now"], told["decision"]) == ("", "not reviewed")


def test_risks_are_told_before_and_after(analyzed: Analyzed, tmp_path: Path) -> None:
    assert analyzed.measure(analyzed.result / "seg.dcm", tmp_path / "out", "--reject", "1") == 0
    document = read_document(tmp_path / "out")
    risks = document["revision"]["risks"]
    assert [risk["package"] for risk in risks] == ["resection_os 1.0.0", "resection_rfs 1.0.0"]
    for risk in risks:
        curves = []
        for held in (analyzed.document, document):
            found = {p["package"]: p for p in held["predictions"]}[risk["package"]]
            curves.append(dict(zip(found["times_months"], found["survival"], strict=True)))
        assert risk["survival"]
        for month, before, now in risk["survival"]:
            assert (before, now) == (curves[0][month], curves[1][month])
    assert any(before != now for risk in risks for _, before, now in risk["survival"])


def test_the_result_follows_the_published_schema(grown: Path) -> None:
    jsonschema.validate(read_document(grown), load_schema())


def test_the_objects_are_legal(grown: Path) -> None:
    validator = shutil.which("dciodvfy")
    assert validator, "dciodvfy is needed: install the Debian package dicom3tools"
    for name in ("seg.dcm", "sr.dcm"):
        done = subprocess.run(
            [validator, str(grown / name)], capture_output=True, text=True, check=False
        )
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        assert errors == []


def test_the_pdf_tells_the_correction(grown: Path) -> None:
    told = subprocess.run(
        ["pdftotext", "-layout", str(grown / "report.pdf"), "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Corrected and verified by Weber^Anna, Radiology, 2026-05-06 07:08 +0200" in told
    assert "semiautomatic" in told


def test_without_the_automatic_result_nothing_is_compared(
    analyzed: Analyzed, tmp_path: Path
) -> None:
    shutil.copy(analyzed.result / "sr.dcm", tmp_path / "earlier.dcm")
    options = ["--model", str(analyzed.model), "--seg", str(analyzed.result / "seg.dcm")]
    predecessor = ["--predecessor", str(tmp_path / "earlier.dcm"), "--out", str(tmp_path / "out")]
    assert main(["measure", str(analyzed.study), *options, *predecessor]) == 0
    revision = read_document(tmp_path / "out")["revision"]
    assert revision["automatic_job_id"] == ""
    assert {c["origin"] for c in revision["changes"]} == {"SEMIAUTOMATIC"}
    assert {c["dice"] for c in revision["changes"]} == {None}


def test_segments_without_identity_are_known_by_their_name(
    analyzed: Analyzed, tmp_path: Path
) -> None:
    drawing = write_seg(analyzed, tmp_path / "d.dcm", untouched, tracked=False)
    assert analyzed.measure(drawing, tmp_path / "out") == 0
    assert read_document(tmp_path / "out")["lesions"] == analyzed.document["lesions"]


def other_frame(path: Path) -> None:
    seg = pydicom.dcmread(path)
    seg.FrameOfReferenceUID = "1.2.3"
    seg.save_as(path)


def other_study(path: Path) -> None:
    seg = pydicom.dcmread(path)
    seg.StudyInstanceUID = "1.2.3"
    seg.save_as(path)


def other_patient(path: Path) -> None:
    seg = pydicom.dcmread(path)
    seg.PatientID = "SOMEBODY-ELSE"
    seg.save_as(path)


def shifted(path: Path) -> None:
    seg = pydicom.dcmread(path)
    groups = seg.PerFrameFunctionalGroupsSequence[4]
    groups.PlanePositionSequence[0].ImagePositionPatient[0] += 1.5
    seg.save_as(path)


def no_liver(path: Path) -> None:
    seg = pydicom.dcmread(path)
    seg.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeValue = "78961009"
    seg.save_as(path)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])


def text(path: Path) -> None:
    path.write_text("no image at all")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (other_frame, "frame of reference 1.2.3, the reference series"),
        (other_study, "The SEG belongs to study 1.2.3"),
        (other_patient, "another Patient ID"),
        (shifted, "Frame 5 of the SEG lies off the reference series"),
        (no_liver, "needs one liver segment, found 0"),
        (truncated, "incomplete: segments or pixels are missing"),
        (text, "neither DICOM SEG nor a readable NRRD or NIfTI"),
    ],
)
def test_a_drawing_that_does_not_belong_is_refused_in_one_line(
    analyzed: Analyzed,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Any,  # noqa: ANN401 - one of the functions above
    told: str,
) -> None:
    drawing = write_seg(analyzed, tmp_path / "d.dcm", untouched)
    damage(drawing)
    assert analyzed.measure(drawing, tmp_path / "out") == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("hepatocast: CorrectionError: ")
    assert told in line
    assert "SOMEBODY" not in line
    assert not (tmp_path / "out").exists()


def test_another_model_than_the_automatic_one_is_refused(
    analyzed: Analyzed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawing = analyzed.result / "seg.dcm"
    assert analyzed.measure(drawing, tmp_path / "out", "--model", "liver_tumor_ct") == 2
    assert "made with threshold 1.0.0" in capsys.readouterr().err


def test_a_label_map_of_another_shape_is_refused(
    analyzed: Analyzed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawing = write_labelmap(analyzed, tmp_path / "d.nrrd", untouched)
    sitk.WriteImage(sitk.ReadImage(str(drawing))[:, :, 1:], str(drawing))
    assert analyzed.measure(drawing, tmp_path / "out") == 2
    assert "The label map has (31, 63, 78) voxels" in capsys.readouterr().err


def test_a_name_without_an_organization_is_refused(
    analyzed: Analyzed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawing = analyzed.result / "seg.dcm"
    assert analyzed.measure(drawing, tmp_path / "out", "--observer", "Weber^Anna") == 2
    assert "--observer needs --organization" in capsys.readouterr().err
