"""Milan, UCSF, up-to-seven, tumor burden score."""

import math
from collections.abc import Callable

import pytest

from engine.values.lesion import TumorBurden
from engine.values.prognosis import Score

Compute = Callable[..., Score]
Burden = Callable[..., TumorBurden]


@pytest.mark.parametrize(
    ("number", "largest_mm", "milan", "ucsf", "seven"),
    [
        (1, 50.0, "within", "within", "within"),
        (1, 50.1, "outside", "within", "within"),
        (1, 65.0, "outside", "within", "outside"),
        (1, 60.0, "outside", "within", "within"),
        (1, 65.1, "outside", "outside", "outside"),
        (3, 30.0, "within", "outside", "within"),
        (2, 30.1, "outside", "within", "within"),
        (3, 26.0, "within", "within", "within"),
        (4, 10.0, "outside", "outside", "within"),
        (2, 45.0, "outside", "outside", "within"),
    ],
)
def test_size_and_number_at_the_edges(
    score: Compute,
    burden: Burden,
    *,
    number: int,
    largest_mm: float,
    milan: str,
    ucsf: str,
    seven: str,
) -> None:
    measured = burden(number, largest_mm)
    assert score("Milan criteria", measured).category == milan
    assert score("UCSF criteria", measured).category == ucsf
    assert score("Up-to-seven criteria", measured).category == seven


@pytest.mark.parametrize("name", ["Milan criteria", "UCSF criteria", "Up-to-seven criteria"])
def test_invasion_puts_a_small_tumor_outside(score: Compute, burden: Burden, name: str) -> None:
    result = score(name, burden(1, 20.0), macrovascular_invasion="present")
    assert (result.value, result.category) == (0.0, "outside")


def test_an_unassessed_invasion_is_said_and_an_assessed_one_is_not(
    score: Compute, burden: Burden
) -> None:
    silent = score("Milan criteria", burden(1, 20.0))
    assert any("no macrovascular invasion" in c for c in silent.caveats)
    told = score(
        "Milan criteria",
        burden(1, 20.0),
        macrovascular_invasion="absent",
        extrahepatic_spread="absent",
    )
    assert not any("Assumes" in c for c in told.caveats)


def test_the_tumor_burden_score_is_a_hypotenuse(score: Compute, burden: Burden) -> None:
    result = score("Tumor burden score", burden(3, 40.0))
    assert result.value == pytest.approx(math.sqrt(4.0**2 + 3**2))
    assert result.category == "not classified"


@pytest.mark.parametrize(
    "name", ["Milan criteria", "Tumor burden score", "Metroticket 2.0 criteria", "HAP"]
)
def test_without_a_lesion_there_is_no_tumor_score(
    score: Compute, burden: Burden, name: str
) -> None:
    values = {"afp": 10.0, "albumin": 40.0, "bilirubin_total": 10.0}
    result = score(name, burden(0, 0.0), **values)
    assert result.missing == ("tumor_number: no lesion",)


def test_without_images_the_missing_inputs_are_named(score: Compute) -> None:
    assert score("Milan criteria").missing == ("tumor_number", "tumor_largest")
