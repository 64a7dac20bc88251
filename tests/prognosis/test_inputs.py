"""Looking predictor values up: nothing is guessed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from engine.prognosis.inputs import PatientInputs, collect, encode, ramp
from engine.prognosis.package import Encoding, PredictorSource, RiskPredictor
from engine.values.clinical import ClinicalRecord, Observation
from engine.values.prognosis import Score

DAY = date(2026, 5, 1)
AFP = RiskPredictor(name="afp", label="AFP", source=PredictorSource.RECORD, key="afp", unit="ng/mL")


def afp(value: float, days_ago: int = 0, unit: str = "ng/mL") -> Observation:
    return Observation(
        analyte="afp",
        code="1834-1",
        code_system="LN",
        value=value,
        unit=unit,
        observed_on=DAY - timedelta(days=days_ago),
    )


def record(*observations: Observation, history: tuple[Observation, ...] = ()) -> PatientInputs:
    return PatientInputs(
        record=ClinicalRecord(reference_date=DAY, observations=observations, history=history)
    )


def test_a_stale_value_is_not_used() -> None:
    fresh = replace(AFP, maximum_age_days=30)
    assert collect((fresh,), record(afp(5.0, days_ago=30)))[0].number == 5.0
    stale = collect((fresh,), record(afp(5.0, days_ago=31)))[0]
    assert (stale.number, stale.reason) == (None, "31 days old, at most 30")


def test_a_value_from_the_future_is_not_used() -> None:
    found = collect((replace(AFP, maximum_age_days=30),), record(afp(5.0, days_ago=-1)))[0]
    assert found.reason == "dated after the reference date"


def test_an_imputed_observation_is_not_used() -> None:
    found = collect((AFP,), record(replace(afp(5.0), imputed=True)))[0]
    assert found.number is None


def test_an_impossible_value_is_refused_with_the_range() -> None:
    number, reason = encode(replace(AFP, plausible=(0.0, 100.0)), 101.0)
    assert number is None
    assert reason == "outside the plausible range 0–100 ng/mL"


def test_words_are_looked_up_and_others_refused() -> None:
    sex = replace(AFP, encoding=Encoding.WORDS, words=(("male", 1.0), ("female", 0.0)))
    assert encode(sex, "male") == (1.0, "")
    assert encode(sex, "unknown") == (None, "needs one of male, female")
    assert encode(AFP, "high") == (None, "a word where a number is needed")


def test_a_count_above_the_ceiling_counts_as_the_ceiling() -> None:
    assert encode(replace(AFP, ceiling=4.0), 9.0)[0] == 4.0


@pytest.mark.parametrize(("value", "expected"), [(1.0, 0.0), (10.0, 0.0), (20.0, 0.5), (40.0, 1.0)])
def test_a_ramp_rises_with_the_logarithm(value: float, expected: float) -> None:
    assert ramp(value, 10.0, 40.0) == pytest.approx(expected)


def test_a_trajectory_uses_dated_values_in_the_right_unit_up_to_the_reference() -> None:
    """Wrong units, missing dates and later values do not enter the series."""
    change = replace(AFP, source=PredictorSource.TRAJECTORY, key="afp:change_log10")
    history = (
        afp(9.0, days_ago=60),
        afp(1e6, days_ago=50, unit="IU/mL"),
        replace(afp(1e6), observed_on=None),
        afp(99.0, days_ago=10),
        afp(1e6, days_ago=-5),
    )
    assert collect((change,), record(history=history))[0].number == pytest.approx(1.0)


def test_an_old_trajectory_is_not_used() -> None:
    last = replace(
        AFP, source=PredictorSource.TRAJECTORY, key="afp:last_log10", maximum_age_days=90
    )
    found = collect((last,), record(history=(afp(9.0, days_ago=91),)))[0]
    assert found.reason == "last value 91 days old, at most 90"


def test_a_score_and_a_measurement_are_found_by_name() -> None:
    score = Score(
        name="Child-Pugh",
        value=6.0,
        unit="1",
        category="A",
        inputs=(),
        missing=(),
        citation="",
        confirmed=True,
    )
    by_score = replace(AFP, source=PredictorSource.SCORE, key="Child-Pugh")
    by_name = replace(AFP, source=PredictorSource.MEASUREMENT, key="radiomics:energy")
    patient = PatientInputs(scores=(score,), measurements={"radiomics:energy": 2.5})
    assert [v.number for v in collect((by_score, by_name), patient)] == [6.0, 2.5]
    assert [v.number for v in collect((by_score, by_name), PatientInputs())] == [None, None]


def test_a_feature_extracted_with_other_settings_is_refused() -> None:
    """The same name from another voxel size is another feature."""
    strict = replace(
        AFP, source=PredictorSource.MEASUREMENT, key="lesion 1/delayed/x", settings_sha256="a" * 64
    )
    same = PatientInputs(
        measurements={strict.key: 2.0}, measurement_settings={strict.key: "a" * 64}
    )
    assert collect((strict,), same)[0].number == 2.0
    other = replace(same, measurement_settings={strict.key: "b" * 64})
    found = collect((strict,), other)[0]
    assert found.number is None
    assert "other settings (bbbbbbbbbbbb) than the model's (aaaaaaaaaaaa)" in found.reason
    unknown = collect((strict,), replace(same, measurement_settings={}))[0]
    assert unknown.number is None
    assert "unknown" in unknown.reason
