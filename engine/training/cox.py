"""Cox regression by Newton's method: ridge, weights, delayed entry; Breslow ties.

One implementation serves ordinary and counting-process (start, stop] data. The Hessian is
assembled from matrix products, so a fit of 12,000 rows and 20 predictors takes well under
a second, which is what makes bootstrap packages affordable.
"""

from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.training.outcome import Floats, Outcome, StepFunction

MAXIMUM_STEPS = 60
TOLERANCE = 1e-10
LARGEST_EFFECT = 25.0


@dataclass(frozen=True, slots=True)
class CoxFit:
    """A fitted Cox model.

    Attributes:
        coefficients: Log hazard ratios, shape (p,).
        baseline: Breslow cumulative baseline hazard at x = 0.
        log_likelihood: Partial log likelihood at the coefficients (no penalty).
        information: Observed information with the penalty, shape (p, p).
    """

    coefficients: Floats
    baseline: StepFunction
    log_likelihood: float
    information: Floats

    def linear_predictor(self, x: Floats) -> Floats:
        """Log relative hazard of n patients; a higher value indicates a higher risk."""
        return np.asarray(x @ self.coefficients, np.float64)

    def survival(self, x: Floats, times: Floats) -> Floats:
        """Survival probabilities, shape (n, T)."""
        hazard = self.baseline(times)[None, :] * np.exp(self.linear_predictor(x))[:, None]
        return np.exp(-hazard)


class RiskSets:
    """The order of events and risk sets of one data set, prepared once for all steps."""

    def __init__(self, outcome: Outcome, start: Floats | None, weights: Floats) -> None:
        stop = outcome.time
        self.weights = weights
        self.event = outcome.event
        self.times = np.unique(stop[outcome.event])
        self.by_stop = np.argsort(stop, kind="stable")
        self.stop_index = np.searchsorted(stop[self.by_stop], self.times, side="left")
        self.entered = None if start is None else np.argsort(start, kind="stable")
        if start is not None and self.entered is not None:
            self.start_index = np.searchsorted(start[self.entered], self.times, side="left")
            self.first_time = np.searchsorted(self.times, start, side="right")
        self.last_time = np.searchsorted(self.times, stop, side="right")
        event_index = np.searchsorted(self.times, stop[outcome.event])
        self.deaths = np.bincount(
            event_index, weights=weights[outcome.event], minlength=len(self.times)
        )

    def sums(self, values: Floats) -> Floats:
        """Sum of values over the risk set at each event time, shape (k, …)."""
        total = _suffix_sums(values[self.by_stop])[self.stop_index]
        if self.entered is not None:
            total = total - _suffix_sums(values[self.entered])[self.start_index]
        return total

    def exposure(self, steps: Floats) -> Floats:
        """Sum of steps over the event times at which each row was at risk, shape (n,)."""
        cumulative = np.concatenate(([0.0], np.cumsum(steps)))
        total = cumulative[self.last_time]
        if self.entered is not None:
            total = total - cumulative[self.first_time]
        return np.asarray(total, np.float64)


def fit_cox(
    x: Floats,
    outcome: Outcome,
    *,
    ridge: float | Floats = 0.0,
    weights: Floats | None = None,
    start: Floats | None = None,
) -> CoxFit:
    """Fit a Cox model.

    Args:
        x: Predictors, shape (n, p); should be centered for a stable baseline.
        outcome: Stop times and events.
        ridge: Penalty ridge/2·β² subtracted from the log likelihood, one number or one
            per predictor.
        weights: Case weights, shape (n,).
        start: Entry times for delayed entry or time-varying rows, shape (n,).

    Raises:
        InputError: No event, or the fit does not converge (raise the ridge penalty).
    """
    if not outcome.event.any():
        raise InputError("A Cox model needs at least one event, found none")
    weight = np.ones(len(outcome)) if weights is None else np.asarray(weights, np.float64)
    sets = RiskSets(outcome, start, weight)
    penalty = np.broadcast_to(np.asarray(ridge, np.float64), (x.shape[1],))
    beta = np.zeros(x.shape[1])
    value, gradient, hessian, steps = _derivatives(x, beta, sets)
    objective = value
    for _ in range(MAXIMUM_STEPS):
        slope = gradient - penalty * beta
        information = hessian + np.diag(penalty)
        step = _solve(information, slope)
        if float(slope @ step) < TOLERANCE:
            _check_finite(beta * x.std(axis=0))
            return CoxFit(
                beta, StepFunction(sets.times, np.cumsum(steps), before=0.0), value, information
            )
        scale = 1.0
        while True:
            trial = beta + scale * step
            value, gradient, hessian, steps = _derivatives(x, trial, sets)
            reached = value - 0.5 * float(penalty @ trial**2)
            if reached > objective - 1e-9 * abs(objective) or scale < 1e-4:
                break
            scale /= 2.0
        beta, objective = trial, reached
    raise InputError(
        f"Cox regression on {len(outcome)} rows and {x.shape[1]} predictors does not converge; "
        "use a larger ridge penalty or fewer predictors"
    )


def partial_log_likelihood(x: Floats, outcome: Outcome, coefficients: Floats) -> float:
    """Breslow partial log likelihood of given coefficients."""
    sets = RiskSets(outcome, None, np.ones(len(outcome)))
    return _derivatives(x, coefficients, sets)[0]


def breslow_baseline(linear_predictor: Floats, outcome: Outcome) -> StepFunction:
    """Cumulative baseline hazard of a given linear predictor (Breslow)."""
    sets = RiskSets(outcome, None, np.ones(len(outcome)))
    steps = sets.deaths / sets.sums(np.exp(linear_predictor))
    return StepFunction(sets.times, np.cumsum(steps), before=0.0)


def _derivatives(x: Floats, beta: Floats, sets: RiskSets) -> tuple[float, Floats, Floats, Floats]:
    """Log likelihood, gradient, negative Hessian and the steps of the baseline hazard."""
    eta = x @ beta
    shift = float(eta.max(initial=0.0))
    relative = sets.weights * np.exp(eta - shift)
    s0 = sets.sums(relative)
    mean = sets.sums(relative[:, None] * x) / s0[:, None]
    steps = sets.deaths / s0
    own = sets.weights * sets.event
    value = float(own @ eta - sets.deaths @ (np.log(s0) + shift))
    gradient = own @ x - sets.deaths @ mean
    exposure = sets.exposure(steps) * relative
    hessian = (x * exposure[:, None]).T @ x - (mean * sets.deaths[:, None]).T @ mean
    return value, gradient, hessian, steps * np.exp(-shift)


def _check_finite(effects: Floats) -> None:
    """A log hazard ratio of 25 per standard deviation is an infinite one cut short."""
    if float(np.abs(effects).max(initial=0.0)) > LARGEST_EFFECT:
        raise InputError(
            "A predictor separates the events perfectly, so its coefficient is infinite; "
            "use a ridge penalty"
        )


def _solve(information: Floats, slope: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(information, slope), np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(information, slope, rcond=None)[0], np.float64)


def _suffix_sums(values: Floats) -> Floats:
    """Sum of values[i:] for i in 0..n, shape (n + 1, …)."""
    tail = np.cumsum(values[::-1], axis=0)[::-1]
    return np.concatenate((tail, np.zeros_like(values[:1])))
