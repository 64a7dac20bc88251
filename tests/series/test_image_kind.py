"""Localizers, pages, timing scans and projections are no slices to analyze."""

from pathlib import Path

import pytest

from engine.series.image_kind import ImageKind, judge_image, kernel_of
from engine.series.input import scan_study
from tests.phantoms.dicom_series import SeriesPlan, ct_series, gradient_hu, write_series


def _judge(folder: Path, description: str = "", **attributes: object) -> ImageKind:
    plan = SeriesPlan(description=description, attributes=attributes)
    write_series(ct_series(gradient_hu(1), plan), folder)
    return judge_image(scan_study(folder).series[0].instances[0])


@pytest.mark.parametrize(
    ("image_type", "refusal"),
    [
        (["ORIGINAL", "PRIMARY", "LOCALIZER"], "localizer"),
        (["DERIVED", "SECONDARY", "SCREEN SAVE"], "dose or screen page"),
        (["DERIVED", "SECONDARY", "MIP"], "projection or rendering, not slices"),
        (["DERIVED", "PRIMARY", "SUBTRACTION"], "computed map (subtraction), not HU of tissue"),
        (["ORIGINAL", "PRIMARY", "AXIAL"], ""),
        (["DERIVED", "PRIMARY", "AXIAL"], ""),
    ],
)
def test_image_type_tells(tmp_path: Path, image_type: list[str], refusal: str) -> None:
    assert _judge(tmp_path, ImageType=image_type).refusal == refusal


@pytest.mark.parametrize(
    ("description", "refusal"),
    [
        ("Topogram 0.6 T20s", "localizer"),
        ("SCOUT", "localizer"),
        ("Dose Report", "dose or screen page"),
        ("SmartPrep Series", "bolus timing scan"),
        ("PreMonitoring 10.0", "bolus timing scan"),
        ("MIP cor 10/5", "projection or rendering, not slices"),
        ("Abdomen portal 1.5", ""),
        ("Bolus enhanced liver", ""),
    ],
)
def test_words_with_one_meaning_tell(tmp_path: Path, description: str, refusal: str) -> None:
    assert _judge(tmp_path, description).refusal == refusal


def test_reformations_and_derived_images_are_marked(tmp_path: Path) -> None:
    kind = _judge(tmp_path, ImageType=["DERIVED", "SECONDARY", "MPR"])
    assert kind.is_reformatted
    assert not kind.is_original
    assert kind.refusal == ""


def test_the_kernel_is_read(tmp_path: Path) -> None:
    write_series(ct_series(gradient_hu(1)), tmp_path)
    assert kernel_of(scan_study(tmp_path).series[0].instances[0]) == "B30f"
