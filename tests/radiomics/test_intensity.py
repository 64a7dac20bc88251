"""Intensity statistics and histograms against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.radiomics.discretization import count_by_level, discretize
from engine.radiomics.intensity import describe_statistics, describe_volume_histogram
from engine.radiomics.settings import FBN_32, FBN_1000, FBS_25_HU, WHOLE_UNITS

FINITE = st.floats(-1e6, 1e6, allow_nan=False, width=64)


def assert_ranked(values: NDArray[np.float64]) -> None:
    found = describe_statistics(values)
    low, high, median, quartiles = found[6], found[7], found[4], found[9]
    p10, p25, p50, p75, p90 = np.percentile(values, [10, 25, 50, 75, 90])
    assert (low, high, median) == pytest.approx((p10, p90, p50), rel=1e-12, abs=1e-9)
    assert quartiles == pytest.approx(p75 - p25, rel=1e-9, abs=1e-9)
    assert (found[5], found[8]) == (values.min(), values.max())


@settings(max_examples=200, deadline=None)
@given(st.lists(FINITE, min_size=1, max_size=300))
def test_percentiles_of_anything(values: list[float]) -> None:
    """Few, equal and extreme values."""
    assert_ranked(np.array(values))


@pytest.mark.parametrize("spread", [0.0, 1e-300, 1.0, 1e150])
def test_percentiles_of_many_values_far_apart(spread: float) -> None:
    """One outlier takes nearly all bins; the rest is looked at again."""
    values = np.random.default_rng(2).normal(0, 1, 5000) * spread
    values[17] = spread * 1e6
    assert_ranked(values)


def test_the_order_of_the_values_does_not_matter() -> None:
    """Percentiles to the bit, sums to rounding."""
    values = np.random.default_rng(5).normal(40, 12, 1001)
    there, back = describe_statistics(values), describe_statistics(values[::-1].copy())
    assert there == pytest.approx(back, rel=1e-12)
    assert there[[4, 5, 6, 7, 8, 9]].tolist() == back[[4, 5, 6, 7, 8, 9]].tolist()


@pytest.mark.parametrize("method", [FBN_32, FBS_25_HU])
def test_levels_and_histogram_agree(method: object) -> None:
    """The histogram counts the levels."""
    values = np.random.default_rng(6).normal(40, 60, 4000)
    gray = discretize(values, method, (values.min(), values.max()))  # type: ignore[arg-type]
    assert gray.levels.min() == 1
    assert gray.levels.max() == gray.count
    assert np.array_equal(np.bincount(gray.levels)[1:], gray.histogram)


def test_volume_histogram_of_levels_equals_that_of_their_sorted_list() -> None:
    """Two ways to the same six numbers."""
    values = np.random.default_rng(7).gamma(2.0, 30.0, 3000)
    extremes = (values.min(), values.max())
    found = describe_volume_histogram(values, FBN_1000, extremes, (None, None))
    counts = count_by_level(values, FBN_1000, extremes)
    listed = np.repeat(np.arange(1.0, 1001.0), counts)
    slow = describe_volume_histogram(listed, WHOLE_UNITS, (1.0, 1000.0), (1.0, 1000.0))
    assert found.tolist() == slow.tolist()
