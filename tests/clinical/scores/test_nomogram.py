"""The nomogram of a published score gives the score back."""

import pytest

from engine.clinical.scores.compute import complete
from engine.clinical.scores.definition import evaluate
from engine.clinical.scores.inputs import gather
from engine.clinical.scores.nomogram import build_score_nomogram
from engine.clinical.scores.table import find_score
from engine.errors import ClinicalDataError
from engine.values.nomogram import Nomogram
from engine.values.prognosis import ScoreInput
from tests.phantoms.clinical_records import make_burden, make_record


def _inputs() -> dict[str, ScoreInput]:
    record = make_record(
        age=62.0,
        sex="male",
        afp=150.0,
        afp_l3=12.0,
        pivka_ii=300.0,
        albumin=36.0,
        bilirubin_total=22.0,
        platelets=120.0,
        infiltrative_growth="absent",
        low_arterial_enhancement="present",
        satellite_nodules="absent",
        microvascular_invasion="present",
        margin="R0",
    )
    inputs = gather(record, make_burden(2, 45.0), None)
    complete(inputs)
    return inputs


def _nomogram(name: str, inputs: dict[str, ScoreInput]) -> Nomogram:
    definition = find_score(name)
    assert definition is not None
    return build_score_nomogram(definition, inputs)


@pytest.mark.parametrize(
    "name",
    ["ALBI", "PALBI", "aMAP", "GALAD", "AFP model", "HAP", "ERS", "MoRAL"],
)
def test_reading_the_nomogram_gives_the_score(name: str) -> None:
    definition = find_score(name)
    assert definition is not None
    score = evaluate(definition, _inputs())
    assert _nomogram(name, _inputs()).patient_total == pytest.approx(score.value, abs=1e-9)


def test_a_missing_input_leaves_its_axis_unmarked() -> None:
    inputs = _inputs()
    del inputs["afp"]
    nomogram = _nomogram("GALAD", inputs)
    assert nomogram.patient_total is None
    assert [axis.patient is None for axis in nomogram.axes] == [False, False, True, False, False]


@pytest.mark.parametrize("name", ["Tumor burden score", "BCLC 2022", "ERASL-pre", "CLIP"])
def test_a_score_that_is_no_sum_has_no_nomogram(name: str) -> None:
    with pytest.raises(ClinicalDataError, match="no nomogram"):
        _nomogram(name, _inputs())


def test_an_input_without_an_axis_is_named() -> None:
    with pytest.raises(ClinicalDataError, match="inr has no nomogram axis"):
        _nomogram("MELD", _inputs())
