"""Intraclass correlation and its interval."""

import math

import numpy as np
import pytest
from scipy import stats

from engine.radiomics.intraclass import f_quantile, intraclass_correlation

RATINGS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


def test_icc_of_the_published_example() -> None:
    """Shrout and Fleiss 1979, table 2: six targets, four judges, ICC(1,1) = 0.17."""
    found = intraclass_correlation(RATINGS)
    assert found.value == pytest.approx(0.17, abs=0.005)
    ratio = (4 * RATINGS.mean(axis=1).var(ddof=1)) / RATINGS.var(axis=1, ddof=1).mean()
    low, high = ratio / stats.f.ppf(0.975, 5, 18), ratio * stats.f.ppf(0.975, 18, 5)
    assert found.lower == pytest.approx((low - 1) / (low + 3), abs=1e-9)
    assert found.upper == pytest.approx((high - 1) / (high + 3), abs=1e-9)


@pytest.mark.parametrize(("p", "a", "b"), [(0.975, 1, 2), (0.975, 11, 348), (0.5, 300, 7)])
def test_quantiles_of_f_are_scipys(p: float, a: int, b: int) -> None:
    assert f_quantile(p, a, b) == pytest.approx(stats.f.ppf(p, a, b), rel=1e-9)


def test_icc_of_a_missing_value_is_missing() -> None:
    """And two regions are the least."""
    assert math.isnan(intraclass_correlation(np.array([[1.0, np.nan], [2.0, 3.0]])).value)
    with pytest.raises(ValueError, match="two regions"):
        intraclass_correlation(np.ones((1, 3)))


def test_repeats_without_any_difference_are_perfect() -> None:
    found = intraclass_correlation(np.array([[1.0, 1.0], [2.0, 2.0]]))
    assert (found.value, found.lower, found.upper) == (1.0, 1.0, 1.0)
