"""Issue 2, must show 5: hostile inputs end in a typed error, never in a traceback."""

from pathlib import Path

import pytest

from engine.errors import InputError
from engine.series.assembly import assemble_volume
from engine.series.input import scan_study
from engine.series.selection import select_series
from engine.values.model import InputCriteria
from engine.values.volume import Volume
from tests.phantoms.dicom_series import PATIENT_NAME
from tests.phantoms.hostile import HostileInput, good_study, hostile_inputs

CASES = hostile_inputs()


def _load(path: Path) -> Volume:
    selection = select_series(scan_study(path), InputCriteria())
    return assemble_volume(selection.reference.group)


def test_there_are_at_least_thirty() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 30


def test_the_study_they_spoil_is_accepted(tmp_path: Path) -> None:
    assert _load(good_study(tmp_path)).voxels_hu.shape[0] == 30


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_input_is_refused_by_name(case: HostileInput, tmp_path: Path) -> None:
    path = case.build(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        _load(path)
    message = str(caught.value)
    assert type(caught.value) is case.error, message
    assert case.says in message
    assert "\n" not in message
    assert PATIENT_NAME.split("^")[0] not in message
    assert sorted(tmp_path.rglob("*")) == before
