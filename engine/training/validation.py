"""Nested, repeated cross-validation by patient of competing strategies on the same splits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from joblib import Parallel, delayed  # type: ignore[import-untyped]  # joblib ships no types

from engine.training.cohort import Cohort
from engine.training.concordance import PairTable, merged
from engine.training.folds import patient_folds
from engine.training.outcome import Floats, Integers, Outcome
from engine.training.recipe import ValidationSpec
from engine.training.truth import CompetingTruth, SurvivalTruth, truth_of


class FittedStrategy(Protocol):
    """What a fit function gives back: risk and survival from raw values."""

    def risk(self, values: Floats) -> Floats:
        """Shape (n, p) → (n,)."""
        ...

    def survival(self, values: Floats, times: Floats) -> Floats:
        """Shape (n, p) → (n, T)."""
        ...


Fit = Callable[[Cohort, int], tuple[FittedStrategy, dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Out-of-fold predictions of one strategy.

    Attributes:
        name: The strategy.
        risk: Shape (repeats, n).
        survival: At ``times``, shape (repeats, n, T).
        groups: Numbers shared by rows that may be compared (same fold, same stratum),
            shape (repeats, n).
        cause: As in the cohort; None without competing risks.
        chosen: Settings chosen in each outer fold.
    """

    name: str
    outcome: Outcome
    times: Floats
    risk: Floats
    survival: Floats
    groups: Integers
    cause: Integers | None = None
    chosen: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def truth(self) -> SurvivalTruth | CompetingTruth:
        """What happened, with competing events where the cohort has them."""
        return truth_of(self.outcome, self.cause)

    def pairs(self) -> PairTable:
        """Pairs inside outer folds and strata, over all repeats."""
        truth = self.truth
        return merged(
            truth.harrell_pairs(r, g) for r, g in zip(self.risk, self.groups, strict=True)
        )

    def mean_survival(self) -> Floats:
        """Out-of-fold survival averaged over the repeats, shape (n, T)."""
        return np.asarray(self.survival.mean(axis=0), np.float64)


def cross_validate(
    strategies: Sequence[tuple[str, Fit]],
    cohort: Cohort,
    spec: ValidationSpec,
    times: Floats,
    *,
    jobs: int = 1,
) -> tuple[HeldOut, ...]:
    """Cross-validate strategies on identical splits.

    Args:
        strategies: Name and fit function; the function gets training rows and a seed and
            tunes inside them.
        cohort: All rows.
        spec: Folds, repeats, seed.
        times: Months at which survival is kept, shape (T,).
        jobs: Parallel processes; the result does not depend on it.
    """
    folds = np.stack(
        [patient_folds(cohort, folds=spec.folds, seed=spec.seed + r) for r in range(spec.repeats)]
    )
    tasks = [
        (name, fit, r, k)
        for name, fit in strategies
        for r in range(spec.repeats)
        for k in range(spec.folds)
    ]
    results = Parallel(n_jobs=jobs)(
        delayed(_one)(fit, cohort, folds[r] == k, times, spec.seed + 1000 * r + k)
        for _, fit, r, k in tasks
    )
    held = {name: _empty(name, cohort, folds, times) for name, _ in strategies}
    chosen: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in strategies}
    for (name, _, r, k), (risk, survival, settings) in zip(tasks, results, strict=True):
        rows = folds[r] == k
        held[name].risk[r, rows] = risk
        held[name].survival[r, rows] = survival
        chosen[name].append(settings)
    return tuple(
        HeldOut(
            name=h.name,
            outcome=h.outcome,
            times=h.times,
            risk=h.risk,
            survival=h.survival,
            groups=h.groups,
            cause=cohort.cause,
            chosen=tuple(chosen[h.name]),
        )
        for h in held.values()
    )


def _one(
    fit: Fit, cohort: Cohort, held: np.ndarray, times: Floats, seed: int
) -> tuple[Floats, Floats, dict[str, Any]]:
    fitted, settings = fit(cohort.take(~held), seed)
    values = cohort.values[held]
    return fitted.risk(values), fitted.survival(values, times), settings


def _empty(name: str, cohort: Cohort, folds: Integers, times: Floats) -> HeldOut:
    shape = (*folds.shape, len(times))
    return HeldOut(
        name=name,
        outcome=cohort.outcome,
        times=times,
        risk=np.empty(folds.shape),
        survival=np.empty(shape),
        groups=np.stack([cohort.comparison_groups(f) for f in folds]),
    )
