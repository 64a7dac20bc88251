"""Right-censored outcomes and the Kaplan–Meier and Aalen–Johansen estimators."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


class HorizonError(InputError):
    """A time horizon lies beyond what the cohort's follow-up can answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Time to event or censoring of n patients.

    Attributes:
        time: Months to the event or to the end of follow-up, shape (n,).
        event: True where the event was seen, shape (n,).
    """

    time: Floats
    event: Booleans

    def __post_init__(self) -> None:
        if self.time.shape != self.event.shape or self.time.ndim != 1:
            raise InputError(
                f"Outcome needs one time and one event per patient, found {self.time.shape} "
                f"and {self.event.shape}"
            )
        if not np.isfinite(self.time).all() or (self.time < 0).any():
            raise InputError("Outcome times must be finite and not negative")

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: Integers | Booleans) -> "Outcome":
        """The outcome of some patients."""
        return Outcome(self.time[rows], self.event[rows])

    def censored_at(self, horizon: float) -> "Outcome":
        """The same patients with follow-up cut at a horizon (administrative censoring)."""
        return Outcome(np.minimum(self.time, horizon), self.event & (self.time <= horizon))


@dataclass(frozen=True, slots=True)
class StepFunction:
    """A right-continuous step function that is ``before`` until the first time."""

    times: Floats
    values: Floats
    before: float = 1.0

    def __call__(self, at: Floats | float) -> Floats:
        """Values at times, same shape as ``at``."""
        index = np.searchsorted(self.times, at, side="right")
        return np.concatenate(([self.before], self.values))[index]

    def left_limit(self, at: Floats | float) -> Floats:
        """Values just before times."""
        index = np.searchsorted(self.times, at, side="left")
        return np.concatenate(([self.before], self.values))[index]


def kaplan_meier(outcome: Outcome, weights: Floats | None = None) -> StepFunction:
    """Kaplan–Meier estimate of the survival function (doi:10.1080/01621459.1958.10501452)."""
    times, events, at_risk = _counts(outcome, weights)
    return StepFunction(times, np.cumprod(1.0 - events / at_risk, dtype=np.float64))


def censoring_distribution(outcome: Outcome) -> StepFunction:
    """Kaplan–Meier estimate of P(C > t); events leave the risk set before censorings."""
    times = np.unique(outcome.time[~outcome.event])
    ordered = np.sort(outcome.time)
    event_times = np.sort(outcome.time[outcome.event])
    at_risk = len(outcome) - np.searchsorted(ordered, times, side="left")
    tied = np.searchsorted(event_times, times, "right") - np.searchsorted(
        event_times, times, "left"
    )
    censored = np.sort(outcome.time[~outcome.event])
    leaving = np.searchsorted(censored, times, "right") - np.searchsorted(censored, times, "left")
    return StepFunction(times, np.cumprod(1.0 - leaving / (at_risk - tied), dtype=np.float64))


def aalen_johansen(time: Floats, cause: Integers, *, of: int) -> StepFunction:
    """Cumulative incidence of one cause under competing risks.

    Args:
        time: Months to the first event or censoring, shape (n,).
        cause: 0 censored, 1, 2, … the cause, shape (n,).
        of: The cause asked for.

    Returns:
        Cumulative incidence, 0 before the first event (doi:10.1002/sim.2712).
    """
    overall = kaplan_meier(Outcome(time, cause > 0))
    times = np.unique(time[cause == of])
    ordered, own = np.sort(time), np.sort(time[cause == of])
    at_risk = len(time) - np.searchsorted(ordered, times, side="left")
    events = np.searchsorted(own, times, "right") - np.searchsorted(own, times, "left")
    steps = overall.left_limit(times) * events / at_risk
    return StepFunction(times, np.cumsum(steps, dtype=np.float64), before=0.0)


def largest_safe_horizon(outcome: Outcome, *, at_risk: int = 10) -> float:
    """Latest event-time horizon at which at least ``at_risk`` patients are still followed.

    Beyond it the inverse-probability weights and the calibration rest on too few patients.
    """
    if len(outcome) < at_risk:
        return 0.0
    return float(np.sort(outcome.time)[-at_risk])


def check_horizons(outcome: Outcome, horizons: tuple[float, ...], *, at_risk: int = 10) -> None:
    """Refuse horizons beyond follow-up.

    Raises:
        HorizonError: Names the horizons and the largest safe one.
    """
    safe = largest_safe_horizon(outcome, at_risk=at_risk)
    if beyond := [h for h in horizons if h > safe]:
        raise HorizonError(
            f"Horizons {', '.join(f'{h:g}' for h in beyond)} months lie beyond follow-up: fewer "
            f"than {at_risk} of {len(outcome)} patients are still at risk; the largest safe "
            f"horizon is {np.floor(safe):g} months"
        )


def _counts(outcome: Outcome, weights: Floats | None) -> tuple[Floats, Floats, Floats]:
    weight = np.ones(len(outcome)) if weights is None else weights
    times = np.unique(outcome.time[outcome.event])
    order = np.argsort(outcome.time, kind="stable")
    ordered = outcome.time[order]
    after = np.concatenate((np.cumsum(weight[order][::-1])[::-1], [0.0]))
    at_risk = after[np.searchsorted(ordered, times, side="left")]
    own = np.cumsum(np.concatenate(([0.0], (weight * outcome.event)[order])))
    events = (
        own[np.searchsorted(ordered, times, "right")] - own[np.searchsorted(ordered, times, "left")]
    )
    return times, events, at_risk
