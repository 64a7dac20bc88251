"""Nomograms are drawn for what was answered, and add up to the answer."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from engine.clinical.scores.compute import compute_scores
from engine.pipeline.nomograms import draw_nomograms
from engine.prognosis.inputs import PatientInputs
from engine.prognosis.prediction import open_risk_package, predict
from engine.values.clinical import ClinicalRecord, Observation
from engine.values.identity import PatientIdentity
from engine.values.prognosis import Refusal, RiskPrediction
from tests.phantoms.analysis_result import cached_result

MODELS = Path(__file__).parents[2] / "models"
DAY = date(2024, 3, 1)
PATIENT = PatientIdentity(patient_id="P", patient_sex="F", patient_age_years=64.0)
VALUES = (
    ("age", 64.0, "a"),
    ("afp", 18.0, "ng/mL"),
    ("ast", 40.0, "U/L"),
    ("satellite_nodules", "absent", "1"),
    ("microvascular_invasion", "present", "1"),
    ("margin", 6.0, "mm"),
)


@pytest.fixture
def inputs() -> PatientInputs:
    record = ClinicalRecord(
        reference_date=date(2024, 3, 11),
        observations=tuple(
            Observation(
                analyte=name, code="1", code_system="LN", value=value, unit=unit, observed_on=DAY
            )
            for name, value, unit in VALUES
        ),
    )
    burden = cached_result().findings.burden
    scores = compute_scores(record, burden, PATIENT)
    return PatientInputs(record=record, burden=burden, scores=scores)


def test_each_predicting_package_has_one_that_adds_up_to_its_answer(inputs: PatientInputs) -> None:
    packages = tuple(open_risk_package(MODELS / n / "1.0.0") for n in ("resection_rfs",))
    answers = tuple(predict(package, inputs) for package in packages)
    drawn = draw_nomograms(packages, answers, inputs, PATIENT)
    (answer,) = answers
    assert isinstance(answer, RiskPrediction)
    assert drawn[0].title.startswith(answer.package)
    assert drawn[0].patient_total == pytest.approx(answer.linear_predictor, abs=1e-9)
    assert [scale.label.split()[-2] for scale in drawn[0].scales] == ["12", "24", "36", "60"]


def test_a_computed_points_score_has_one_that_adds_up_to_the_score(inputs: PatientInputs) -> None:
    drawn = draw_nomograms((), (), inputs, PATIENT)
    values = {score.name: score.value for score in inputs.scores if score.value is not None}
    assert [nomogram.title for nomogram in drawn] == [
        name for name in ("ERS", "POLAR-HCC (log-hazard index)") if name in values
    ]
    assert drawn
    for nomogram in drawn:
        assert nomogram.patient_total == pytest.approx(values[nomogram.title])


def test_what_was_refused_is_not_drawn(inputs: PatientInputs) -> None:
    nothing = replace(inputs, record=None, burden=None, scores=())
    packages = (open_risk_package(MODELS / "resection_os" / "1.0.0"),)
    answers = tuple(predict(package, nothing) for package in packages)
    assert isinstance(answers[0], Refusal)
    assert draw_nomograms(packages, answers, nothing, PatientIdentity(patient_id="P")) == ()
