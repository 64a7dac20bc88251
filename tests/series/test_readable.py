"""A damaged series does not keep the study from being analyzed, and is never silent."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import NoEligibleSeriesError, PixelDataError
from engine.series.input import scan_study
from engine.series.readable import read_reference
from engine.series.selection import Selection
from engine.values.model import InputCriteria
from engine.values.volume import Volume
from tests.phantoms.dicom_series import SeriesPlan, ct_series, gradient_hu, uid, write_series

PLAN = SeriesPlan(description="portal venous")
SHARP = replace(PLAN, series="sharp", number=3, attributes={"ConvolutionKernel": "B70f"})
SOFT = replace(PLAN, series="soft", number=2)


def _write(folder: Path, plan: SeriesPlan, *, damaged: bool = False) -> None:
    write_series(ct_series(gradient_hu(30), plan), folder, prefix=plan.series)
    if damaged:
        file = folder / f"{plan.series}0003.dcm"
        file.write_bytes(file.read_bytes()[:-100])


def _read(folder: Path) -> tuple[Selection, Volume]:
    return read_reference(scan_study(folder), InputCriteria(), lambda *_: None)


def test_the_best_series_is_used_without_a_word_when_it_can_be_read(tmp_path: Path) -> None:
    _write(tmp_path, SOFT)
    _write(tmp_path, SHARP)
    selection, volume = _read(tmp_path)
    assert volume.series.series_instance_uid == uid(PLAN.study, "soft")
    assert [d.role for d in selection.decisions] == ["reference", "refused"]
    assert volume.notes == ()


def test_the_next_best_series_stands_in_for_a_damaged_one_and_both_are_named(
    tmp_path: Path,
) -> None:
    _write(tmp_path, SOFT, damaged=True)
    _write(tmp_path, SHARP)
    selection, volume = _read(tmp_path)
    assert volume.series.series_instance_uid == uid(PLAN.study, "sharp")
    (note,) = volume.notes
    assert note.startswith("Series 2 would have been analyzed")
    assert note.endswith("send this one again.")
    refused = {d.series_instance_uid: d for d in selection.decisions if d.role == "refused"}
    assert "pixels cannot be read" in refused[uid(PLAN.study, "soft")].reason


def test_a_study_with_nothing_but_damage_says_what_is_damaged(tmp_path: Path) -> None:
    _write(tmp_path, SOFT, damaged=True)
    _write(tmp_path, SHARP, damaged=True)
    with pytest.raises(PixelDataError, match="is truncated"):
        _read(tmp_path)


def test_a_study_without_a_fitting_series_is_refused_as_before(tmp_path: Path) -> None:
    write_series(ct_series(gradient_hu(3), PLAN), tmp_path)
    with pytest.raises(NoEligibleSeriesError):
        _read(tmp_path)
