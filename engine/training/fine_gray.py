"""Fine–Gray regression: proportional hazards of the subdistribution of one cause."""

import numpy as np

from engine.errors import InputError
from engine.training.cox import CoxFit, fit_cox
from engine.training.linear import LinearFit
from engine.training.outcome import Floats, Integers, Outcome, StepFunction, censoring_distribution

SMALLEST_WEIGHT = 1e-6


def fit_fine_gray(
    x: Floats, time: Floats, cause: Integers, *, of: int = 1, ridge: float = 1.0
) -> LinearFit:
    """Fit the model; its ``survival`` is 1 - cumulative incidence of the cause.

    Args:
        x: Prepared predictors, shape (n, r).
        time: Months to the first event or censoring, shape (n,).
        cause: 0 censored, 1, 2, … the cause, shape (n,).
        of: The cause of interest.
        ridge: Penalty.

    Raises:
        InputError: Nobody has the cause.
    """
    fit = subdistribution_cox(x, time, cause, of=of, ridge=ridge)
    return LinearFit(fit.coefficients, fit.baseline)


def subdistribution_cox(
    x: Floats, time: Floats, cause: Integers, *, of: int = 1, ridge: float = 0.0
) -> CoxFit:
    """Weighted Cox regression (doi:10.1080/01621459.1999.10474144).

    Patients with a competing event stay in the risk set with the falling weight
    G(t) / G(T), G the Kaplan–Meier estimate of remaining uncensored: their rows are cut at
    every time at which G falls.
    """
    if not (cause == of).any():
        raise InputError(f"No patient has cause {of}")
    censoring = censoring_distribution(Outcome(time, cause > 0))
    rows, start, stop, weight = _expand(time, cause, of, censoring)
    event = (cause[rows] == of) & (stop == time[rows])
    return fit_cox(x[rows], Outcome(stop, event), start=start, weights=weight, ridge=ridge)


def _expand(
    time: Floats, cause: Integers, of: int, censoring: StepFunction
) -> tuple[Integers, Floats, Floats, Floats]:
    """Counting-process rows: patient, start, stop, weight."""
    end = float(time[cause == of].max())
    rows, start = [np.arange(len(time))], [np.full(len(time), -1.0)]
    stop, weight = [time.astype(np.float64)], [np.ones(len(time))]
    for i in np.flatnonzero((cause > 0) & (cause != of) & (time < end)):
        inside = (censoring.times > time[i]) & (censoring.times < end)
        edges = np.concatenate(([time[i]], censoring.times[inside], [end]))
        share = censoring(edges[:-1]) / max(float(censoring(time[i])), SMALLEST_WEIGHT)
        kept = share > SMALLEST_WEIGHT
        rows.append(np.full(int(kept.sum()), i))
        start.append(edges[:-1][kept])
        stop.append(edges[1:][kept])
        weight.append(share[kept])
    return (
        np.concatenate(rows),
        np.concatenate(start),
        np.concatenate(stop),
        np.concatenate(weight),
    )
