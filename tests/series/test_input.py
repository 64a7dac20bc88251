"""A scan reads one patient's one study and sets everything else aside with a reason."""

import shutil
from pathlib import Path

import pytest

from engine.errors import MixedPatientsError, UnreadableStudyError
from engine.series.input import scan_study
from tests.phantoms.dicom_series import (
    PATIENT_NAME,
    SeriesPlan,
    ct_series,
    gradient_hu,
    uid,
    write_series,
)

SHARED_DICOM = Path(__file__).parents[2] / ".." / "shared" / "data" / "ct" / "dicom"


def test_junk_beside_a_study_is_listed_and_not_fatal(tmp_path: Path) -> None:
    write_series(ct_series(gradient_hu()), tmp_path)
    (tmp_path / "readme.txt").write_text("hello " * 40)
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "cut.dcm").write_bytes((tmp_path / "IM0000.dcm").read_bytes()[:300])
    scan = scan_study(tmp_path)
    assert [len(series.instances) for series in scan.series] == [12]
    reasons = {junk.name: junk.reason for junk in scan.junk}
    assert reasons["empty.dcm"] == "empty file"
    assert reasons["readme.txt"].startswith("not DICOM")
    assert reasons["cut.dcm"].startswith("DICOM object without a valid")


def test_the_study_and_its_patient_are_read(tmp_path: Path) -> None:
    study = scan_study(write_series(ct_series(gradient_hu()), tmp_path)).study
    assert study.study_instance_uid == uid("phantom study")
    assert study.patient.patient_name == PATIENT_NAME
    assert study.study_date == "20240315"
    assert study.patient.patient_age_years == pytest.approx(64.2, abs=0.05)


def test_a_stated_age_comes_before_the_birth_date(tmp_path: Path) -> None:
    plan = SeriesPlan(attributes={"PatientAge": "018M"})
    scan = scan_study(write_series(ct_series(gradient_hu(), plan), tmp_path))
    assert scan.study.patient.patient_age_years == pytest.approx(1.5)


def test_the_same_file_twice_counts_once(tmp_path: Path) -> None:
    write_series(ct_series(gradient_hu()), tmp_path)
    shutil.copy(tmp_path / "IM0003.dcm", tmp_path / "copy.dcm")
    scan = scan_study(tmp_path)
    assert len(scan.series[0].instances) == 12
    assert scan.notes == ("1 duplicate files dropped",)


def test_a_uid_used_for_two_contents_spoils_only_its_series(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    datasets[2].SOPInstanceUID = datasets[3].SOPInstanceUID
    write_series(datasets, tmp_path, prefix="A")
    write_series(ct_series(gradient_hu(), SeriesPlan(series="other")), tmp_path, prefix="B")
    scan = scan_study(tmp_path)
    assert [s.series_instance_uid for s in scan.series] == [uid("phantom study", "other")]
    assert "different content" in scan.refusals[0].reason


def test_two_studies_are_named_by_uid_never_by_patient(tmp_path: Path) -> None:
    write_series(ct_series(gradient_hu(2)), tmp_path, prefix="A")
    write_series(ct_series(gradient_hu(2), SeriesPlan(study="b")), tmp_path, prefix="B")
    with pytest.raises(MixedPatientsError) as caught:
        scan_study(tmp_path)
    assert uid("b") in str(caught.value)
    assert "Secret" not in str(caught.value)
    assert "P-1" not in str(caught.value)


def test_progress_runs_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    scan_study(write_series(ct_series(gradient_hu(4)), tmp_path), seen.append)
    assert seen == [0.25, 0.5, 0.75, 1.0]


def test_real_objects_of_three_studies_are_not_mixed() -> None:
    with pytest.raises(MixedPatientsError, match="3 studies"):
        scan_study(SHARED_DICOM / "ct_3slice_with_liver_seg.zip")


def test_nothing_readable_says_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" * 200)
    (tmp_path / "b.txt").write_text("x" * 200)
    with pytest.raises(UnreadableStudyError, match="2 × not DICOM"):
        scan_study(tmp_path)
