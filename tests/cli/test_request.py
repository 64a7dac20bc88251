"""A request's identity follows what it is about."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.cli.request import AnalyzeRequest, default_job_id, read_predecessor
from engine.errors import UnreadableStudyError
from engine.series.input import scan_study
from engine.values.identity import ImageReference
from tests.phantoms.dicom_series import SeriesPlan, ct_series, gradient_hu, write_series

SR = ImageReference(sop_class_uid="1.2", sop_instance_uid="1.2.9", series_instance_uid="1.2.8")


def study_in(folder: Path, name: str) -> Path:
    return write_series(ct_series(gradient_hu(3), SeriesPlan(study=name, series=name)), folder)


def test_the_same_study_asked_for_twice_is_one_job(tmp_path: Path) -> None:
    request = AnalyzeRequest(study=study_in(tmp_path / "a", "one"), out=tmp_path / "out")
    scan = scan_study(request.study)
    again = replace(request, out=tmp_path / "elsewhere")
    assert default_job_id(request, scan, ("m", ())) == default_job_id(again, scan, ("m", ()))


def test_other_images_model_options_or_predecessors_are_another_job(tmp_path: Path) -> None:
    request = AnalyzeRequest(study=study_in(tmp_path / "a", "one"), out=tmp_path / "out")
    scan = scan_study(request.study)
    other = scan_study(study_in(tmp_path / "b", "two"))
    clinical = tmp_path / "values.csv"
    clinical.write_text("x")
    jobs = {
        default_job_id(request, scan, ("m", ())),
        default_job_id(request, other, ("m", ())),
        default_job_id(request, scan, ("n", ())),
        default_job_id(request, scan, ("m", (SR,))),
        default_job_id(replace(request, risk_models=()), scan, ("m", ())),
        default_job_id(replace(request, clinical=clinical), scan, ("m", ())),
    }
    assert len(jobs) == 6


@pytest.mark.parametrize("content", [b"", b"no DICOM", None])
def test_a_predecessor_must_be_a_structured_report(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "sr.dcm"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableStudyError, match=r"sr\.dcm"):
        read_predecessor(path)


def test_an_image_is_no_predecessor(tmp_path: Path) -> None:
    image = next(study_in(tmp_path / "a", "one").iterdir())
    with pytest.raises(UnreadableStudyError, match="no structured report"):
        read_predecessor(image)
