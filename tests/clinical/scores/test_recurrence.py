"""ERASL, ERS, EROM, POLAR-HCC."""

import math
from collections.abc import Callable

import pytest

from engine.values.lesion import TumorBurden
from engine.values.prognosis import Score

Compute = Callable[..., Score]
Burden = Callable[..., TumorBurden]


@pytest.mark.parametrize(
    ("afp", "number", "largest_mm", "satellites", "invasion", "margin", "points"),
    [
        (9.9, 1, 39.9, "absent", "absent", "R0", 0),
        (10.0, 1, 40.0, "absent", "absent", "R0", 3),
        (100.1, 2, 40.0, "present", "present", "R1", 11),
    ],
)
def test_ers_points_of_its_abstract(
    score: Compute,
    burden: Burden,
    *,
    afp: float,
    number: int,
    largest_mm: float,
    satellites: str,
    invasion: str,
    margin: str,
    points: int,
) -> None:
    """0–11 points, "ERS: A simple scoring system to predict early recurrence …"."""
    result = score(
        "ERS",
        burden(number, largest_mm),
        afp=afp,
        satellite_nodules=satellites,
        microvascular_invasion=invasion,
        margin=margin,
    )
    assert result.value == points


def test_erasl_pre_is_unconfirmed_and_erasl_post_refuses(score: Compute, burden: Burden) -> None:
    values = {"sex": "male", "bilirubin_total": 10.0, "albumin": 40.0, "afp": 100.0}
    pre = score("ERASL-pre", burden(1, 50.0), **values)
    assert pre.confirmed is False
    assert pre.value == pytest.approx(0.818 + 0.1 * math.log(100) + 0.58 * math.log(5))
    post = score("ERASL-post", burden(1, 50.0), **values, microvascular_invasion="absent")
    assert (post.value, post.missing) == (None, ("published coefficients: not found in a source",))


def test_erom_is_the_sum_of_published_log_hazards(score: Compute, burden: Burden) -> None:
    result = score(
        "EROM (log-hazard index)",
        burden(1, 60.0),
        afp=21.0,
        infiltrative_growth="present",
        low_arterial_enhancement="absent",
    )
    assert math.exp(result.value or 0) == pytest.approx(2.03 * 1.10**6 * 2.20)


def test_erom_is_refused_within_milan(score: Compute, burden: Burden) -> None:
    values = {"infiltrative_growth": "absent", "low_arterial_enhancement": "absent", "afp": 5.0}
    result = score("EROM (log-hazard index)", burden(1, 50.0), **values)
    assert result.missing == ("tumor burden: within Milan, the paper studied tumors beyond it",)


def test_ers_is_refused_after_previous_treatment(score: Compute, burden: Burden) -> None:
    values = {"satellite_nodules": "absent", "microvascular_invasion": "absent", "margin": "R0"}
    result = score("ERS", burden(1, 50.0), afp=5.0, **values, previous_treatment="present")
    assert result.value is None
    assert "treatment-naive" in result.missing[0]


def test_polar_needs_to_be_told_what_is_large(score: Compute, burden: Burden) -> None:
    values = {
        "sex": "male",
        "cirrhosis": "present",
        "satellite_nodules": "absent",
        "macrovascular_invasion": "absent",
        "microvascular_invasion": "present",
    }
    name = "POLAR-HCC (log-hazard index)"
    assert score(name, burden(2, 80.0), **values).missing == ("large_tumor",)
    result = score(name, burden(2, 80.0), **values, large_tumor="present")
    assert math.exp(result.value or 0) == pytest.approx(1.37 * 1.42 * 1.56 * 1.49 * 1.69)
