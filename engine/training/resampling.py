"""Bootstrap over patients: intervals of metrics and refits of models."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.training.cohort import Cohort
from engine.training.concordance import PairTable
from engine.training.outcome import Floats, Integers


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % percentile bootstrap interval."""

    value: float
    lower: float
    upper: float

    def __str__(self) -> str:
        """Three decimals, as the reports print it."""
        return f"{self.value:.3f} ({self.lower:.3f} to {self.upper:.3f})"


def patient_weights(patients: Integers, *, resamples: int, seed: int) -> Floats:
    """How often each row's patient was drawn, shape (resamples, n)."""
    random = np.random.default_rng(seed)
    _, number = np.unique(patients, return_inverse=True)
    count = int(number.max()) + 1
    draws = random.multinomial(count, np.full(count, 1.0 / count), size=resamples)
    return draws[:, number].astype(np.float64)


def concordance_interval(
    pairs: PairTable, patients: Integers, *, resamples: int, seed: int
) -> Interval:
    """Concordance with its interval over resampled patients."""
    drawn = patient_weights(patients, resamples=resamples, seed=seed)
    return _interval(pairs.concordance(), [pairs.concordance(w) for w in drawn])


def difference_interval(
    first: PairTable, second: PairTable, patients: Integers, *, resamples: int, seed: int
) -> Interval:
    """First minus second concordance on the same resampled patients (paired)."""
    drawn = patient_weights(patients, resamples=resamples, seed=seed)
    differences = [first.concordance(w) - second.concordance(w) for w in drawn]
    return _interval(first.concordance() - second.concordance(), differences)


def metric_interval(
    metric: Callable[[Integers], float], patients: Integers, *, resamples: int, seed: int
) -> Interval:
    """Any metric of rows, with its interval over resampled patients.

    Args:
        metric: Takes row numbers (repeats allowed); NaN results are left out.
        patients: Patient of each row, shape (n,).
        resamples: How many bootstrap draws.
        seed: Of the draws.
    """
    rows = np.arange(len(patients))
    drawn = patient_weights(patients, resamples=resamples, seed=seed).astype(np.int64)
    return _interval(metric(rows), [metric(np.repeat(rows, counts)) for counts in drawn])


def metric_band(
    metric: Callable[[Integers], Floats], patients: Integers, *, resamples: int, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Several metrics of the same rows at once: values, lower and upper bounds.

    Samples for which ``metric`` raises InputError (nothing left to judge) and NaN results are
    left out.
    """
    rows = np.arange(len(patients))
    value = metric(rows)
    drawn = patient_weights(patients, resamples=resamples, seed=seed).astype(np.int64)
    found = []
    for counts in drawn:
        try:
            found.append(metric(np.repeat(rows, counts)))
        except InputError:
            continue
    bounds = [_interval(float(v), [float(f[k]) for f in found]) for k, v in enumerate(value)]
    return value, np.array([b.lower for b in bounds]), np.array([b.upper for b in bounds])


def bootstrap_rows(cohort: Cohort, *, resamples: int, seed: int) -> list[Integers]:
    """Row numbers of each bootstrap sample of patients."""
    rows = np.arange(len(cohort))
    drawn = patient_weights(cohort.patients, resamples=resamples, seed=seed).astype(np.int64)
    return [np.repeat(rows, counts) for counts in drawn]


def _interval(value: float, drawn: list[float]) -> Interval:
    usable = [d for d in drawn if np.isfinite(d)]
    if not usable:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(usable, (2.5, 97.5))
    return Interval(value, float(low), float(high))
