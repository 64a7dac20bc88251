"""ALBI, mALBI, PALBI, Child-Pugh."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clinical.analytes import ANALYTES
from engine.clinical.scores.liver_function import albi_score
from engine.clinical.units import to_canonical
from engine.values.prognosis import Score

Compute = Callable[..., Score]


@given(bilirubin=st.floats(1, 500), albumin=st.floats(10, 60), more=st.floats(0.01, 100))
def test_albi_rises_with_bilirubin_and_falls_with_albumin(
    bilirubin: float, albumin: float, more: float
) -> None:
    assert albi_score(bilirubin + more, albumin) > albi_score(bilirubin, albumin)
    assert albi_score(bilirubin, albumin + more) < albi_score(bilirubin, albumin)


@pytest.mark.parametrize(
    ("albumin", "grade", "modified"),
    [
        (45.0, "grade 1", "grade 1"),
        (36.0, "grade 2", "grade 2a"),
        (34.0, "grade 2", "grade 2b"),
        (20.0, "grade 3", "grade 3"),
    ],
)
def test_grades_of_albi_and_modified_albi(
    score: Compute, albumin: float, grade: str, modified: str
) -> None:
    values = {"bilirubin_total": 10.0, "albumin": albumin}
    assert score("ALBI", **values).category == grade
    assert score("mALBI", **values).category == modified


def test_the_cut_off_itself_belongs_to_the_better_grade(score: Compute) -> None:
    """0.66·log10(10) − 0.085·albumin = −2.60 at albumin 38.353 g/L."""
    assert score("ALBI", bilirubin_total=10.0, albumin=(0.66 + 2.60) / 0.085).category == "grade 1"


def test_palbi_by_hand(score: Compute) -> None:
    """2.02 − 0.37 − 0.04·40 − 3.48·2 + 1.01·4 for bilirubin 10 µmol/L, platelets 100."""
    result = score("PALBI", bilirubin_total=10.0, albumin=40.0, platelets=100.0)
    assert result.value == pytest.approx(-2.87)
    assert result.category == "grade 1"


@pytest.mark.parametrize(
    ("bilirubin_mg_dl", "albumin", "inr", "ascites", "encephalopathy", "points", "letter"),
    [
        (1.0, 40.0, 1.0, "absent", "absent", 5, "A"),
        (2.0, 35.0, 1.7, "absent", "absent", 8, "B"),
        (3.0, 28.0, 2.3, "slight", "grade 1-2", 10, "C"),
        (3.1, 27.9, 2.31, "moderate", "grade 3-4", 15, "C"),
        (1.99, 35.1, 1.69, "slight", "absent", 6, "A"),
    ],
)
def test_child_pugh_points_at_the_edges_of_its_bands(
    score: Compute,
    *,
    bilirubin_mg_dl: float,
    albumin: float,
    inr: float,
    ascites: str,
    encephalopathy: str,
    points: int,
    letter: str,
) -> None:
    """Bands as printed in doi:10.1371/journal.pone.0216173: < 2, 2–3, > 3 and so on."""
    result = score(
        "Child-Pugh",
        bilirubin_total=to_canonical(bilirubin_mg_dl, "mg/dL", ANALYTES["bilirubin_total"]),
        albumin=albumin,
        inr=inr,
        ascites=ascites,
        encephalopathy=encephalopathy,
    )
    assert (result.value, result.category) == (points, f"class {letter}")


def test_a_bilirubin_of_zero_is_named_and_not_computed(score: Compute) -> None:
    result = score("ALBI", bilirubin_total=0.0, albumin=40.0)
    assert result.value is None
    assert result.missing == ("bilirubin_total: must be above 0",)
