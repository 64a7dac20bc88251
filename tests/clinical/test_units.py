"""Unit conversion: UCUM by library, analyte-aware rules on top."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clinical.analytes import ANALYTES
from engine.clinical.intake import RawValue, accept
from engine.clinical.units import from_canonical, to_canonical
from engine.errors import ClinicalDataError
from engine.values.clinical import Rejection, RejectionKind


@pytest.mark.parametrize(
    ("analyte", "unit", "value", "expected"),
    [
        ("bilirubin_total", "mg/dL", 1.0, 17.104),
        ("creatinine", "mg/dl", 1.0, 88.40),
        ("albumin", "g/dL", 4.0, 40.0),
        ("albumin", "umol/L", 602.1, 40.0),
        ("afp", "ug/L", 12.5, 12.5),
        ("afp", "IU/mL", 100.0, 121.0),
        ("afp", "kIU/L", 100.0, 121.0),
        ("platelets", "10*3/uL", 150.0, 150.0),
        ("platelets", "K/uL", 150.0, 150.0),
        ("platelets", "x10^4/µL", 15.0, 150.0),
        ("platelets", "/uL", 150_000.0, 150.0),
        ("ast", "IU/L", 40.0, 40.0),
        ("alt", "ukat/L", 1.0, 60.0),
        ("sodium", "mEq/L", 130.0, 130.0),
        ("pivka_ii", "mAU/mL", 200.0, 200.0),
        ("hbv_dna", "kIU/L", 5.0, 5.0),
        ("inr", "{INR}", 1.2, 1.2),
        ("age", "years", 61.0, 61.0),
    ],
)
def test_units_as_laboratories_write_them_reach_the_canonical_unit(
    analyte: str, unit: str, value: float, expected: float
) -> None:
    assert to_canonical(value, unit, ANALYTES[analyte]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("analyte", "unit"),
    [
        ("pivka_ii", "ng/mL"),
        ("hbv_dna", "copies/mL"),
        ("afp", "nmol/L"),
        ("bilirubin_total", "U/L"),
        ("platelets", "g/L"),
        ("albumin", "bananas"),
        ("hbv_dna", "[arb'U]/mL"),
        ("platelets", "[IU]/L"),
    ],
)
def test_a_unit_of_another_kind_is_refused_by_name(analyte: str, unit: str) -> None:
    with pytest.raises(ClinicalDataError, match=analyte):
        to_canonical(1.0, unit, ANALYTES[analyte])


@given(
    value=st.floats(0.01, 1e5),
    case=st.sampled_from(
        [
            ("bilirubin_total", "mg/dL"),
            ("creatinine", "mg/dL"),
            ("albumin", "g/dL"),
            ("albumin", "mmol/L"),
            ("afp", "[IU]/mL"),
            ("platelets", "/uL"),
        ]
    ),
)
def test_there_and_back_is_the_same_value(value: float, case: tuple[str, str]) -> None:
    analyte = ANALYTES[case[0]]
    there = to_canonical(value, case[1], analyte)
    assert from_canonical(there, case[1], analyte) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("unit", ["Cel", "/Cel", "mmoll", "[pH]", "10*", "(", "m[H2O]"])
def test_a_unit_that_makes_no_sense_is_refused_by_name(unit: str) -> None:
    with pytest.raises(ClinicalDataError, match=r"cannot be converted to 10\*9/L"):
        to_canonical(1.0, unit, ANALYTES["platelets"])


def test_sources_asked_at_once_convert_without_getting_in_each_others_way() -> None:
    """A fresh interpreter, because conversions are kept once they are known."""
    script = """
import threading
from engine.clinical.analytes import ANALYTES
from engine.clinical.units import to_canonical
units = {"bilirubin_total": "mg/dL", "albumin": "g/dL", "creatinine": "mg/L",
         "afp": "k[IU]/L", "platelets": "10*3/uL", "sodium": "meq/L", "hbv_dna": "k[IU]/L"}
faults, start = [], threading.Barrier(len(units))
def convert(key, unit):
    start.wait()
    try:
        to_canonical(1.0, unit, ANALYTES[key])
    except Exception as error:
        faults.append(repr(error))
threads = [threading.Thread(target=convert, args=item) for item in units.items()]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(faults)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_mass_of_pivka_is_refused_because_no_factor_is_agreed() -> None:
    raw = RawValue(code="34444-0", value="40", unit="ng/mL", source="x")
    rejection = accept(raw)
    assert isinstance(rejection, Rejection)
    assert rejection.kind is RejectionKind.UNIT
