"""MELD, MELD-Na, MELD 3.0."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clinical.scores.meld import meld_na_points, meld_points
from tests.phantoms.clinical_records import make_score


@pytest.mark.parametrize(
    ("bilirubin", "inr", "creatinine", "points"),
    [(1.9, 1.2, 1.3, 13), (0.2, 0.9, 0.4, 6), (50.0, 10.0, 9.0, 40), (2.0, 1.5, 1.5, 17)],
)
def test_meld_in_whole_points_with_its_floors_and_caps(
    bilirubin: float, inr: float, creatinine: float, points: int
) -> None:
    """First line: the worked example of an open MELD calculator (13.41, shown as 13)."""
    assert meld_points(bilirubin, inr, creatinine) == points


@given(
    bilirubin=st.floats(0.1, 60),
    inr=st.floats(0.5, 12),
    creatinine=st.floats(0.2, 12),
    more=st.floats(0, 10),
)
def test_meld_never_falls_when_a_value_gets_worse(
    bilirubin: float, inr: float, creatinine: float, more: float
) -> None:
    base = meld_points(bilirubin, inr, creatinine)
    assert 6 <= base <= 40
    assert meld_points(bilirubin + more, inr, creatinine) >= base
    assert meld_points(bilirubin, inr + more, creatinine) >= base
    assert meld_points(bilirubin, inr, creatinine + more) >= base


@given(meld=st.integers(6, 40), sodium=st.floats(100, 160))
def test_low_sodium_never_lowers_meld_na(meld: int, sodium: float) -> None:
    assert meld_na_points(float(meld), sodium) >= meld_na_points(float(meld), 140.0) == meld


def test_sodium_counts_only_above_eleven_points() -> None:
    assert meld_na_points(11.0, 125.0) == 11.0
    assert meld_na_points(12.0, 125.0) > 12.0


def test_meld_3_is_for_adults() -> None:
    values = {
        "bilirubin_total": 20.0,
        "inr": 1.2,
        "creatinine": 80.0,
        "sodium": 135.0,
        "albumin": 35.0,
        "sex": "male",
    }
    assert make_score("MELD 3.0", **values, age=18.0).value is not None
    refused = make_score("MELD 3.0", **values, age=17.0)
    assert refused.missing == ("age: MELD 3.0 of this form is for adults",)
