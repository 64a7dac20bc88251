"""Clinical words are those a clinician reads, and silence is never one of them."""

from dataclasses import replace

import pytest

from engine.reporting.clinical_words import (
    availability,
    input_name,
    prevented,
    quantity,
    score_result,
)
from engine.values.clinical import ClinicalRecord
from tests.phantoms.analysis_result import RECORD, SCORES


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (15.39, "umol/L", "15.39 µmol/L"),
        (128.0, "10*9/L", "128 10^9/L"),
        (410.0, "[arb'U]/L", "410 AU/L"),
        (5.0806, "cm", "5.08 cm"),
        ("present", "1", "present"),
        (0.0, "1", "0"),
        (None, "g/L", "missing"),
    ],
)
def test_a_value_is_written_as_clinicians_write_it(
    value: float | str | None, unit: str, shown: str
) -> None:
    assert quantity(value, unit) == shown


@pytest.mark.parametrize(
    ("key", "name"),
    [("afp_l3", "AFP L3"), ("tumor_largest", "Largest tumor"), ("hbv_dna", "HBV DNA")],
)
def test_a_key_becomes_words(key: str, name: str) -> None:
    assert input_name(key) == name


def test_a_record_s_own_names_win() -> None:
    assert input_name("bilirubin_total", RECORD) == "Total bilirubin"


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (None, "no clinical file or source was given"),
        (ClinicalRecord(sources=("FHIR: clinical data not available: 503",)), "503"),
        (replace(RECORD, observations=(), sources=()), "every value that was offered was refused"),
        (ClinicalRecord(), "no source gave a value"),
    ],
)
def test_absent_data_have_a_reason(record: ClinicalRecord | None, told: str) -> None:
    assert availability(record).startswith("Clinical data not available: ")
    assert told in availability(record)


def test_present_data_need_none() -> None:
    assert availability(RECORD) == ""


def test_a_criterion_is_a_verdict_without_its_number() -> None:
    albi = SCORES[0]
    assert score_result(albi) == "-2.61 (grade 1)"
    milan = replace(albi, name="Milan criteria", value=0.0, category="outside")
    assert score_result(milan) == "outside"
    assert score_result(SCORES[1]) == "not computed"


def test_what_prevented_most_comes_first() -> None:
    lacking = replace(SCORES[1], name="X", missing=("age", "platelets"))
    assert prevented((SCORES[1], lacking)) == [("platelets", ("FIB-4", "X")), ("age", ("X",))]
