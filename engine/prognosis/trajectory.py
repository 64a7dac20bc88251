"""Summaries of a repeated laboratory value up to the reference date.

The same summaries are computed for training cohorts, so that a model is fed at a patient
what it was fed in training.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

SUMMARIES = (
    "last_log10",
    "slope_log10",
    "change_log10",
    "step_log10",
    "max_log10",
    "min_log10",
    "mean_log10",
    "months",
    "count",
)
DAYS_PER_MONTH = 30.4375
SLOPE_WINDOW_DAYS = 365.0


def summarize(days: Sequence[float], values: Sequence[float], summary: str) -> float | None:
    """Summarize one analyte's series; the last entry is the present.

    Values enter as log10(value + 1), because AFP spans five decades and reaches 0.

    Args:
        days: Day of each value, ascending.
        values: Values in the analyte's unit, not below 0.
        summary: "last_log10"; "change_log10" (last minus first); "step_log10" (last minus
            the one before, 0 for a single value); "max_log10", "min_log10", "mean_log10";
            "slope_log10" (least squares per month over the last 365 days); "months" (first
            to last); "count".

    Returns:
        The summary; None when it is not defined (no value; a slope of one value).
    """
    if len(days) == 0:
        return None
    logs = np.log10(np.asarray(values, float) + 1.0)
    at = np.asarray(days, float)
    if summary == "slope_log10":
        return _slope_per_month(at, logs)
    if summary in SIMPLE:
        return float(SIMPLE[summary](at, logs))
    raise ValueError(f"Unknown trajectory summary {summary!r}; known are {', '.join(SUMMARIES)}")


Summary = Callable[[np.ndarray, np.ndarray], float]
SIMPLE: Mapping[str, Summary] = {
    "last_log10": lambda _, logs: logs[-1],
    "change_log10": lambda _, logs: logs[-1] - logs[0],
    "step_log10": lambda _, logs: logs[-1] - logs[max(len(logs) - 2, 0)],
    "max_log10": lambda _, logs: logs.max(),
    "min_log10": lambda _, logs: logs.min(),
    "mean_log10": lambda _, logs: logs.mean(),
    "months": lambda at, _: (at[-1] - at[0]) / DAYS_PER_MONTH,
    "count": lambda at, _: len(at),
}


def _slope_per_month(days: np.ndarray, logs: np.ndarray) -> float | None:
    recent = days >= days[-1] - SLOPE_WINDOW_DAYS
    months, values = days[recent] / DAYS_PER_MONTH, logs[recent]
    centered = months - months.mean()
    spread = float(centered @ centered)
    if spread == 0.0:
        return None
    return float(centered @ (values - values.mean()) / spread)
