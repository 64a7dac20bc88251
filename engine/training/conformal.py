"""Lower bounds on survival time that hold for a stated share of patients.

Split conformal prediction with the held-out survival curves as scores. The bound of a patient
is the time at which his predicted curve falls to a calibrated level. The level is the lowest
at which the share of patients who failed before their bound, weighted for censoring, stays
below 1 - confidence, with one unit added for the new patient (the correction of split
conformal prediction). Weights are 1 / P(C ≥ t) from a Cox model of censoring on the linear
predictor, so censoring may depend on the risk (inverse-probability weighting of calibration
scores as in doi:10.1093/jrsssb/qkac004; here for ordinary right censoring, hence coverage
holds on average over patients and as good as the censoring model, not in every subgroup).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.training.cohort import Cohort
from engine.training.cox import fit_cox
from engine.training.folds import patient_folds
from engine.training.outcome import Floats, Integers, Outcome
from engine.training.recipe import ValidationSpec
from engine.training.resampling import Interval, metric_interval
from engine.training.validation import Fit, HeldOut, cross_validate

CONFIDENCES = (0.8, 0.9, 0.95)
LARGEST_WEIGHT = 20.0
METHOD = (
    "conformal lower bound from cross-validated predictions, weighted for censoring; holds on "
    "average over patients like the development cohort"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalLevel:
    """A calibrated level.

    Attributes:
        confidence: Wanted share of patients who live longer than their bound.
        survival: The bound is the time at which predicted survival falls to this level.
    """

    confidence: float
    survival: float


def calibrate(
    held: HeldOut, confidences: Sequence[float] = CONFIDENCES
) -> tuple[ConformalLevel, ...]:
    """Calibrate on out-of-fold predictions.

    Raises:
        InputError: A confidence is not inside 0..1.
    """
    if any(not 0.0 < c < 1.0 for c in confidences):
        raise InputError(f"Confidences must lie inside 0..1, found {tuple(confidences)}")
    outcome, rounds = held.outcome, len(held.risk)
    failed = outcome.event & (outcome.time <= float(held.times[-1]))
    lost = np.concatenate(
        [1.0 - survival_at(s, held.times, outcome.time)[failed] for s in held.survival]
    )
    weight = np.concatenate([_weights(r, held)[failed] for r in held.risk]) / rounds
    order = np.argsort(lost, kind="stable")
    missed = (np.cumsum(weight[order]) + 1.0) / (len(outcome) + 1.0)
    levels = []
    for confidence in confidences:
        first = int(np.searchsorted(missed, 1.0 - confidence, side="right"))
        reached = float(lost[order[first]]) if first < len(order) else 1.0
        levels.append(ConformalLevel(confidence=confidence, survival=1.0 - reached))
    return tuple(levels)


def _weights(risk: Floats, held: HeldOut) -> Floats:
    return censoring_weights(risk, held.outcome, held.cause)


def survival_at(survival: Floats, times: Floats, at: Floats) -> Floats:
    """Each patient's predicted survival at a time of his own, shape (n,).

    The curve is 1 at time 0, straight between the grid's times, flat after its end.
    """
    grid = np.concatenate(([0.0], times))
    curves = np.column_stack((np.ones(len(survival)), survival))
    return np.array([np.interp(t, grid, curve) for t, curve in zip(at, curves, strict=True)])


def lower_bounds(survival: Floats, times: Floats, level: float) -> Floats:
    """Months at which each curve falls to the level, shape (n,); the grid's end at most."""
    grid = np.concatenate(([0.0], times))
    curves = np.column_stack((np.ones(len(survival)), survival))
    bounds = np.full(len(survival), float(times[-1]))
    for k, curve in enumerate(curves):
        below = np.flatnonzero(curve <= level)
        if len(below) and below[0] > 0:
            j = int(below[0])
            drop = curve[j - 1] - curve[j]
            bounds[k] = grid[j - 1] + (curve[j - 1] - level) / drop * (grid[j] - grid[j - 1])
        elif len(below):
            bounds[k] = 0.0
    return bounds


def censoring_weights(risk: Floats, outcome: Outcome, cause: Integers | None = None) -> Floats:
    """1 / P(C ≥ t | risk) at each patient's time, at most LARGEST_WEIGHT, shape (n,).

    A competing event is no censoring: its patient never has the event.
    """
    censored = Outcome(outcome.time, ~outcome.event if cause is None else cause == 0)
    if not censored.event.any():
        return np.ones(len(outcome))
    spread = float(risk.std())
    x = ((risk - risk.mean()) / (spread if spread > 0 else 1.0))[:, None]
    fit = fit_cox(x, censored, ridge=1.0)
    hazard = fit.baseline.left_limit(outcome.time) * np.exp(fit.linear_predictor(x))
    return np.minimum(np.exp(hazard), LARGEST_WEIGHT)


def covered_share(
    bounds: Floats, risk: Floats, outcome: Outcome, cause: Integers | None = None
) -> float:
    """Share of patients who do not fail before their bound, weighted for censoring."""
    missed = outcome.event & (outcome.time < bounds)
    return 1.0 - float(censoring_weights(risk, outcome, cause)[missed].sum()) / len(outcome)


def nested_coverage(
    fit: Fit, cohort: Cohort, spec: ValidationSpec, times: Floats, *, confidence: float = 0.9
) -> Interval:
    """Coverage on patients used neither to fit nor to calibrate.

    In every outer fold the model is fitted and the level calibrated (by inner
    cross-validation) on the training rows; the held-out rows are judged. One round.
    """
    folds = patient_folds(cohort, folds=spec.folds, seed=spec.seed)
    bounds, risk = np.empty(len(cohort)), np.empty(len(cohort))
    inner = ValidationSpec(folds=spec.inner_folds, repeats=1, seed=spec.seed)
    for k in range(spec.folds):
        held, train = folds == k, cohort.take(folds != k)
        oof = cross_validate([("inner", fit)], train, inner, times)[0]
        level = calibrate(oof, (confidence,))[0].survival
        model, _ = fit(train, spec.seed + k)
        values = cohort.values[held]
        bounds[held] = lower_bounds(model.survival(values, times), times, level)
        risk[held] = model.risk(values)

    def share(rows: Integers) -> float:
        some = cohort.take(rows)
        return covered_share(bounds[rows], risk[rows], some.outcome, some.cause)

    return metric_interval(
        share, cohort.patients, resamples=min(spec.bootstrap, 200), seed=spec.seed
    )
