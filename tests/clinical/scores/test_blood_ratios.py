"""FIB-4, APRI, NLR, PLR."""

from collections.abc import Callable

import pytest

from engine.values.prognosis import Score

Compute = Callable[..., Score]


@pytest.mark.parametrize(
    ("name", "values", "expected", "category"),
    [
        ("FIB-4", {"age": 60.0, "ast": 80.0, "alt": 64.0, "platelets": 100.0}, 6.0, "> 3.25"),
        ("FIB-4", {"age": 30.0, "ast": 20.0, "alt": 25.0, "platelets": 200.0}, 0.6, "< 1.45"),
        ("APRI", {"ast": 80.0, "ast_upper_limit": 40.0, "platelets": 100.0}, 2.0, "> 1.5"),
        ("APRI", {"ast": 40.0, "ast_upper_limit": 40.0, "platelets": 100.0}, 1.0, "0.5–1.5"),
        ("NLR", {"neutrophils": 6.0, "lymphocytes": 1.5}, 4.0, "not classified"),
        ("PLR", {"platelets": 150.0, "lymphocytes": 1.5}, 100.0, "not classified"),
    ],
)
def test_ratios_by_hand(
    score: Compute, name: str, values: dict[str, float], expected: float, category: str
) -> None:
    result = score(name, **values)
    assert result.value == pytest.approx(expected)
    assert result.category == category


def test_apri_without_the_laboratorys_limit_is_refused_by_name(score: Compute) -> None:
    result = score("APRI", ast=80.0, platelets=100.0)
    assert (result.value, result.missing) == (None, ("ast_upper_limit",))
