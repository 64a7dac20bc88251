"""Summaries of repeated values."""

import numpy as np
import pytest

from engine.prognosis.trajectory import DAYS_PER_MONTH, summarize


def test_a_tenfold_rise_per_month_has_slope_one() -> None:
    """Values 10^k - 1 a month apart are a line of slope 1 in log10(value + 1)."""
    days = [k * DAYS_PER_MONTH for k in range(4)]
    values = [10.0**k - 1.0 for k in range(4)]
    assert summarize(days, values, "slope_log10") == pytest.approx(1.0)
    assert summarize(days, values, "change_log10") == pytest.approx(3.0)
    assert summarize(days, values, "last_log10") == pytest.approx(3.0)
    assert summarize(days, values, "months") == pytest.approx(3.0)
    assert summarize(days, values, "count") == 4.0


def test_extremes_mean_and_last_step() -> None:
    values = [10.0**k - 1.0 for k in (1, 3, 2)]
    names = ("max_log10", "min_log10", "mean_log10", "step_log10")
    assert [summarize([0, 50, 90], values, n) for n in names] == pytest.approx([3, 1, 2, -1])
    assert summarize([0], [9.0], "step_log10") == 0.0


def test_the_slope_forgets_what_is_older_than_a_year() -> None:
    """An old rise does not count once the last year is flat."""
    assert summarize([0, 400, 700], [1e5, 9.0, 9.0], "slope_log10") == pytest.approx(0.0)


def test_one_value_has_no_slope() -> None:
    assert summarize([5.0], [10.0], "slope_log10") is None
    assert summarize([5.0, 5.0], [10.0, 20.0], "slope_log10") is None
    assert summarize([], [], "last_log10") is None


def test_slope_equals_least_squares() -> None:
    """Golden: numpy.polyfit."""
    random = np.random.default_rng(1)
    days, values = np.sort(random.uniform(0, 300, 9)), random.uniform(1, 1000, 9)
    golden = np.polyfit(days / DAYS_PER_MONTH, np.log10(values + 1), 1)[0]
    assert summarize(days, values, "slope_log10") == pytest.approx(golden)


def test_an_unknown_summary_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown trajectory summary"):
        summarize([0.0], [1.0], "median")
