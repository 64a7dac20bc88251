"""Issue 6, must show 3: age and AFP only, everything, nothing usable; each says why.

The embedded packages are used as shipped.
"""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from engine.prognosis.inputs import PatientInputs
from engine.prognosis.prediction import OpenRiskPackage, open_risk_package, predict
from engine.values.clinical import ClinicalRecord, Observation
from engine.values.lesion import TumorBurden
from engine.values.prognosis import Refusal, RiskPrediction, Score

MODELS = Path(__file__).parents[3] / "models"
PACKAGES = ("resection_rfs", "resection_os", "dynamic_os")
DAY = date(2026, 5, 1)


@pytest.fixture(scope="module", params=PACKAGES)
def opened(request: pytest.FixtureRequest) -> OpenRiskPackage:
    return open_risk_package(MODELS / request.param / "1.0.0")


def observation(
    analyte: str, value: float | str, unit: str = "1", days_ago: int = 5
) -> Observation:
    return Observation(
        analyte=analyte,
        code="",
        code_system="",
        value=value,
        unit=unit,
        observed_on=DAY - timedelta(days=days_ago),
        source="test",
    )


AGE_AND_AFP = (observation("age", 61.0, "a"), observation("afp", 350.0, "ng/mL"))
REST = (
    observation("sex", "male"),
    observation("hbsag", "present"),
    observation("cirrhosis", "present"),
    observation("ast", 62.0, "U/L"),
    observation("macrovascular_invasion", "absent"),
    observation("lymph_node_metastasis", "absent"),
    observation("distant_metastasis", "absent"),
    observation("differentiation", "poor"),
    observation("capsule", "present"),
)
EARLIER_AFP = observation("afp", 90.0, "ng/mL", days_ago=100)
BURDEN = TumorBurden(
    number=2,
    largest_mm=72.0,
    sum_mm=90.0,
    total_volume_ml=120.0,
    liver_volume_ml=1400.0,
    tumor_fraction=0.086,
    tumor_burden_score=7.5,
    within_milan=False,
    within_ucsf=False,
    within_up_to_seven=False,
)
CHILD_PUGH = Score(
    name="Child-Pugh",
    value=5.0,
    unit="1",
    category="A",
    inputs=(),
    missing=(),
    citation="",
    confirmed=True,
)


BCLC_B = replace(CHILD_PUGH, name="BCLC 2022", value=2.0, category="B")


def record(*observations: Observation, history: tuple[Observation, ...] = ()) -> ClinicalRecord:
    return ClinicalRecord(reference_date=DAY, observations=observations, history=history)


def test_age_and_afp_alone_are_predicted_and_the_report_says_with_which_model(
    opened: OpenRiskPackage,
) -> None:
    afp = tuple(o for o in AGE_AND_AFP if o.analyte == "afp")
    found = predict(opened, PatientInputs(record=record(*AGE_AND_AFP, history=afp)))
    assert isinstance(found, RiskPrediction)
    assert found.limits[0].startswith("Model used: age and AFP; C inside held-out folds")
    assert found.used_modalities == ("clinical",)
    assert any("no lesion measurement; a model without it was used" in m for m in found.missing)


def test_everything_uses_the_first_model_and_nothing_is_missing(opened: OpenRiskPackage) -> None:
    history = (EARLIER_AFP, *AGE_AND_AFP, *REST)
    found = predict(
        opened,
        PatientInputs(
            record=record(*AGE_AND_AFP, *REST, history=history),
            burden=BURDEN,
            scores=(CHILD_PUGH, BCLC_B),
        ),
    )
    assert isinstance(found, RiskPrediction)
    assert found.limits[0].startswith(f"Model used: {opened.package.models[0].name}")
    assert found.missing == ()
    assert "imaging" in found.used_modalities
    assert found.interval.startswith("95 % bootstrap interval")
    for low, middle, high in zip(found.lower, found.survival, found.upper, strict=True):
        assert low <= middle <= high
        assert low < high


def test_nothing_usable_is_refused_and_says_what_was_lacking(opened: OpenRiskPackage) -> None:
    found = predict(opened, PatientInputs(record=record(observation("sex", "male"))))
    assert isinstance(found, Refusal)
    assert found.name == f"{opened.package.identity.name} 1.0.0"
    assert "Age (not in the clinical record)" in found.reason


def test_worse_findings_give_a_worse_prognosis(opened: OpenRiskPackage) -> None:
    """More and larger tumors, higher AFP: lower survival at the last time."""
    mild = PatientInputs(
        record=record(
            observation("age", 61.0, "a"),
            observation("afp", 3.0, "ng/mL"),
            history=(observation("afp", 3.0, "ng/mL"),),
        ),
        burden=TumorBurden(
            number=1,
            largest_mm=20.0,
            sum_mm=20.0,
            total_volume_ml=4.0,
            liver_volume_ml=1400.0,
            tumor_fraction=0.003,
            tumor_burden_score=2.2,
            within_milan=True,
            within_ucsf=True,
            within_up_to_seven=True,
        ),
    )
    severe = PatientInputs(record=record(*AGE_AND_AFP, history=(AGE_AND_AFP[1],)), burden=BURDEN)
    better, worse = predict(opened, mild), predict(opened, severe)
    assert isinstance(better, RiskPrediction)
    assert isinstance(worse, RiskPrediction)
    assert better.survival[-1] > worse.survival[-1]
    assert better.percentile < worse.percentile


@pytest.mark.parametrize("name", ["resection_rfs", "resection_os"])
def test_a_published_stage_alone_is_fused_as_what_is_there(name: str) -> None:
    """Decision-level fusion with BCLC: the stage alone, and with everything else."""
    package = open_risk_package(MODELS / name / "1.0.0")
    alone = predict(package, PatientInputs(scores=(BCLC_B,)))
    early = predict(package, PatientInputs(scores=(replace(BCLC_B, value=1.0, category="A"),)))
    assert isinstance(alone, RiskPrediction)
    assert isinstance(early, RiskPrediction)
    assert alone.used_modalities == ("stage",)
    assert "Model used: BCLC and what else is there" in alone.limits[0]
    assert "with stage only" in alone.limits[0]
    assert alone.survival[-1] < early.survival[-1]
    assert alone.lower_bounds[1].months < early.lower_bounds[1].months
    total = alone.contribution_base + sum(c.effect for c in alone.contributions)
    assert total == pytest.approx(alone.linear_predictor, abs=1e-9)


def test_lower_bounds_are_there_and_say_what_they_are(opened: OpenRiskPackage) -> None:
    afp = tuple(o for o in AGE_AND_AFP if o.analyte == "afp")
    found = predict(opened, PatientInputs(record=record(*AGE_AND_AFP, history=afp)))
    assert isinstance(found, RiskPrediction)
    assert [b.confidence for b in found.lower_bounds] == [0.8, 0.9, 0.95]
    months = [b.months for b in found.lower_bounds]
    assert months == sorted(months, reverse=True)
    assert found.lower_bound.startswith("conformal lower bound")
