"""A value as sent becomes an observation or a named rejection."""

import pytest

from engine.clinical.intake import RawValue, accept
from engine.values.clinical import Observation, Rejection


def _raw(code: str, value: str, unit: str = "", **more: str) -> RawValue:
    return RawValue(code=code, value=value, unit=unit, source="labs.csv row 4", **more)


def test_a_laboratory_value_is_converted_and_keeps_its_source() -> None:
    observation = accept(_raw("1975-2", "1.0", "mg/dL", code_system="LN"))
    assert isinstance(observation, Observation)
    assert observation.analyte == "bilirubin_total"
    assert observation.value == pytest.approx(17.104, abs=1e-3)
    assert (observation.unit, observation.source) == ("umol/L", "labs.csv row 4")


def test_a_value_below_the_detection_limit_stands_for_the_limit_and_says_so() -> None:
    observation = accept(_raw("afp", "<2.0", "ng/mL"))
    assert isinstance(observation, Observation)
    assert (observation.value, observation.imputed) == (2.0, True)


def test_an_open_value_is_refused_where_it_would_change_a_score() -> None:
    rejection = accept(_raw("albumin", "<20", "g/L"))
    assert isinstance(rejection, Rejection)
    assert "leaves the value open" in rejection.reason


@pytest.mark.parametrize(
    ("code", "value", "unit", "reason"),
    [
        ("albumin", "4.1", "g/L", "plausible range"),
        ("inr", "-1", "1", "plausible range"),
        ("albumin", "3,9", "g/dL", "not a number"),
        ("albumin", "n/a", "g/dL", "not a number"),
        ("albumin", "nan", "g/dL", "not a number"),
        ("albumin", "1e999", "g/dL", "finite"),
        ("albumin", "4", "m/s", "cannot be converted"),
        ("ascites", "maybe", "", "needs one of"),
    ],
)
def test_an_impossible_value_is_refused_with_its_source_and_reason(
    code: str, value: str, unit: str, reason: str
) -> None:
    rejection = accept(_raw(code, value, unit))
    assert isinstance(rejection, Rejection)
    assert rejection.source == "labs.csv row 4"
    assert reason in rejection.reason
    assert value not in rejection.reason or value in ("4", "-1")


@pytest.mark.parametrize("status", ["preliminary", "entered-in-error", "cancelled", "unknown"])
def test_a_value_that_is_not_final_is_not_used(status: str) -> None:
    rejection = accept(_raw("albumin", "4", "g/dL", status=status))
    assert isinstance(rejection, Rejection)
    assert status in rejection.reason


def test_an_unknown_analyte_is_nothing_at_all() -> None:
    assert accept(_raw("hemoglobin", "12", "g/dL")) is None


@pytest.mark.parametrize(
    ("code", "said", "word"),
    [
        ("sex", "M", "male"),
        ("sex", "248152002", "female"),
        ("ascites", "None", "absent"),
        ("ascites", "mild", "slight"),
        ("ascites", "severe", "moderate"),
        ("encephalopathy", "3", "grade 3-4"),
        ("ecog", "1.0", "1"),
        ("hbsag", "Positive", "present"),
        ("cirrhosis", "yes", "present"),
        ("margin", "r0", "R0"),
    ],
)
def test_wordings_of_sources_fold_to_the_allowed_words(code: str, said: str, word: str) -> None:
    observation = accept(_raw(code, said))
    assert isinstance(observation, Observation)
    assert observation.value == word
