"""Metroticket 2.0, AFP model, MoRAL, RETREAT."""

from collections.abc import Callable

import pytest

from engine.values.lesion import TumorBurden
from engine.values.prognosis import Score

Compute = Callable[..., Score]
Burden = Callable[..., TumorBurden]


@pytest.mark.parametrize(
    ("afp", "number", "largest_mm", "category"),
    [
        (199.0, 3, 40.0, "within"),
        (200.0, 3, 40.0, "outside"),
        (399.0, 2, 30.0, "within"),
        (400.0, 2, 30.0, "outside"),
        (400.0, 1, 30.0, "within"),
        (1000.0, 1, 30.0, "within"),
        (1000.1, 1, 10.0, "outside"),
    ],
)
def test_metroticket_allows_less_tumor_the_higher_afp(
    score: Compute, burden: Burden, afp: float, number: int, largest_mm: float, category: str
) -> None:
    measured = burden(number, largest_mm)
    assert score("Metroticket 2.0 criteria", measured, afp=afp).category == category


@pytest.mark.parametrize(
    ("afp", "number", "largest_mm", "points", "category"),
    [
        (100.0, 3, 30.0, 0, "low risk"),
        (100.1, 3, 30.0, 2, "low risk"),
        (50.0, 4, 30.1, 3, "high risk"),
        (50.0, 1, 60.1, 4, "high risk"),
        (1000.1, 4, 60.1, 9, "high risk"),
    ],
)
def test_afp_model_points(
    score: Compute,
    burden: Burden,
    *,
    afp: float,
    number: int,
    largest_mm: float,
    points: int,
    category: str,
) -> None:
    result = score("AFP model", burden(number, largest_mm), afp=afp)
    assert (result.value, result.category) == (points, category)


def test_moral_is_off_by_default_and_marked_unconfirmed(score: Compute) -> None:
    result = score("MoRAL", afp=100.0, pivka_ii=400.0)
    assert result.value == pytest.approx(11 * 20 + 2 * 10)
    assert result.confirmed is False


@pytest.mark.parametrize(
    ("afp", "invasion", "number", "largest_cm", "points"),
    [
        (5.0, "absent", 0.0, 0.0, 0),
        (20.0, "absent", 1.0, 3.9, 1),
        (21.0, "present", 1.0, 4.0, 5),
        (999.0, "absent", 4.0, 6.0, 5),
        (1000.0, "present", 5.0, 5.0, 8),
    ],
)
def test_retreat_points_of_its_table(
    score: Compute, afp: float, invasion: str, number: float, largest_cm: float, points: int
) -> None:
    """Table 4 of doi:10.20517/2394-5079.2018.62."""
    result = score(
        "RETREAT",
        afp=afp,
        microvascular_invasion=invasion,
        explant_viable_number=number,
        explant_largest_viable=largest_cm,
    )
    assert result.value == points
