"""One table of everything a statistician asks of a survival model, with intervals."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.training.brier import BrierResult
from engine.training.calibration import Calibration
from engine.training.concordance import PairTable, merged
from engine.training.decision import DecisionCurve
from engine.training.outcome import (
    Floats,
    HorizonError,
    Integers,
    check_horizons,
    largest_safe_horizon,
)
from engine.training.resampling import (
    Interval,
    concordance_interval,
    metric_band,
    metric_interval,
)
from engine.training.truth import Truth
from engine.training.validation import HeldOut

THRESHOLDS = np.arange(0.05, 0.96, 0.05)
CALIBRATION_RESAMPLES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationIntervals:
    """Bootstrap intervals of a calibration's figures."""

    ici: Interval
    e50: Interval
    e90: Interval
    slope: Interval
    intercept: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Metrics of one strategy on one set of patients.

    Attributes:
        name: The strategy or model.
        patients, events: Counts.
        harrell, uno: Concordance; ``tau`` is Uno's horizon.
        auc: Cumulative/dynamic AUC per horizon.
        brier: Scores over the time grid and Kaplan–Meier's.
        skill: 1 - IBS / IBS of Kaplan–Meier.
        calibrations, decisions: Per horizon.
        calibration_intervals: Same order as calibrations.
        decision_bands: Lower and upper net benefit of the model, same order as decisions.
        refused_horizons: Asked-for horizons beyond follow-up, with the largest safe one.
    """

    name: str
    patients: int
    events: int
    harrell: Interval
    uno: Interval
    tau: float
    auc: tuple[tuple[float, Interval], ...]
    brier: BrierResult
    skill: Interval
    calibrations: tuple[Calibration, ...]
    decisions: tuple[tuple[float, DecisionCurve], ...]
    calibration_intervals: tuple[CalibrationIntervals, ...] = ()
    decision_bands: tuple[tuple[Floats, Floats], ...] = ()
    refused_horizons: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What is judged: one or more rounds of predictions for the same rows.

    Attributes:
        name: The strategy or model.
        risk: Shape (rounds, n); higher means earlier failure.
        survival: Mean over the rounds, shape (n, T).
        times: Shape (T,), months.
        truth: What happened.
        groups: Rows that may be compared, shape (rounds, n).
        patients: Patient of each row, shape (n,).
    """

    name: str
    risk: Floats
    survival: Floats
    times: Floats
    truth: Truth
    groups: Integers
    patients: Integers


def held_out_predictions(held: HeldOut, patients: Integers) -> Predictions:
    """Out-of-fold predictions, ready to be judged."""
    return Predictions(
        name=held.name,
        risk=held.risk,
        survival=held.mean_survival(),
        times=held.times,
        truth=held.truth,
        groups=held.groups,
        patients=patients,
    )


def judge(
    predictions: Predictions,
    horizons: tuple[float, ...],
    *,
    resamples: int = 200,
    seed: int = 1,
) -> Judgement:
    """Judge predictions.

    Args:
        predictions: What to judge.
        horizons: Months; those beyond follow-up or off the time grid are refused by name
            in the result, never extrapolated.
        resamples: Bootstrap draws of patients.
        seed: Of the draws.

    Raises:
        HorizonError: No horizon can be judged: beyond follow-up, off the grid, or before the
            first event.
    """
    p, truth = predictions, predictions.truth
    safe = min(largest_safe_horizon(truth.observed), float(p.times[-1]))
    usable = _usable(p, horizons, safe)
    refused = [f"{h:g}" for h in horizons if h not in usable]
    tau = usable[-1]
    grid = p.times[p.times <= safe]

    def rounds(pairs_of: Callable[..., PairTable]) -> Interval:
        table = merged(pairs_of(r, g) for r, g in zip(p.risk, p.groups, strict=True))
        return concordance_interval(table, p.patients, resamples=resamples, seed=seed)

    return Judgement(
        name=p.name,
        patients=len(np.unique(p.patients)),
        events=truth.events,
        harrell=rounds(truth.harrell_pairs),
        uno=rounds(lambda r, g: truth.uno_pairs(r, g, tau)),
        tau=tau,
        auc=tuple((h, rounds(lambda r, g, h=h: truth.auc_pairs(r, g, h))) for h in usable),
        brier=truth.brier(p.survival[:, : len(grid)], grid),
        skill=_skill(p, grid, resamples, seed),
        calibrations=tuple(truth.calibration(_at(p, h), h) for h in usable),
        decisions=tuple((h, truth.decision(1.0 - _at(p, h), h, THRESHOLDS)) for h in usable),
        calibration_intervals=tuple(_calibration_intervals(p, h, resamples, seed) for h in usable),
        decision_bands=tuple(_decision_band(p, h, resamples, seed) for h in usable),
        refused_horizons=(
            f"{', '.join(refused)} months refused (no event by then, or too few followed); "
            f"largest safe horizon {safe:g} months"
            if refused
            else ""
        ),
    )


def _usable(p: Predictions, horizons: tuple[float, ...], safe: float) -> tuple[float, ...]:
    """Horizons on the grid, inside follow-up and after the first event."""
    seen = p.truth.event_free(np.asarray(horizons, np.float64)) < 1.0
    usable = tuple(
        h for h, some in zip(horizons, seen, strict=True) if h <= safe and h in p.times and some
    )
    if not usable:
        check_horizons(p.truth.observed, horizons)
        raise HorizonError(
            f"Nobody has had the event by {', '.join(f'{h:g}' for h in horizons)} months, or the "
            "predictions have no such time; choose a later horizon"
        )
    return usable


def _calibration_intervals(
    p: Predictions, horizon: float, resamples: int, seed: int
) -> CalibrationIntervals:
    survival = _at(p, horizon)

    def figures(rows: Integers) -> Floats:
        c = p.truth.take(rows).calibration(survival[rows], horizon)
        return np.array([c.ici, c.e50, c.e90, c.slope, c.intercept])

    # Mean absolute differences grow in resamples, so their interval may miss the value itself.
    few = min(resamples, CALIBRATION_RESAMPLES)
    bands = metric_band(figures, p.patients, resamples=few, seed=seed)
    ici, e50, e90, slope, intercept = (
        Interval(float(v), float(min(v, low)), float(max(v, high)))
        for v, low, high in zip(*bands, strict=True)
    )
    return CalibrationIntervals(ici=ici, e50=e50, e90=e90, slope=slope, intercept=intercept)


def _decision_band(
    p: Predictions, horizon: float, resamples: int, seed: int
) -> tuple[Floats, Floats]:
    risk = 1.0 - _at(p, horizon)

    def benefit(rows: Integers) -> Floats:
        return p.truth.take(rows).decision(risk[rows], horizon, THRESHOLDS).model

    few = min(resamples, CALIBRATION_RESAMPLES)
    _, low, high = metric_band(benefit, p.patients, resamples=few, seed=seed)
    return low, high


def _at(p: Predictions, horizon: float) -> Floats:
    return p.survival[:, int(np.flatnonzero(p.times == horizon)[0])]


def _skill(p: Predictions, grid: Floats, resamples: int, seed: int) -> Interval:
    survival = p.survival[:, : len(grid)]

    def skill(rows: Integers) -> float:
        return p.truth.take(rows).skill(survival[rows], grid)

    return metric_interval(skill, p.patients, resamples=resamples, seed=seed)


def judge_table(judgements: tuple[Judgement, ...]) -> str:
    """Comparison as text, one line per strategy."""
    head = f"{'strategy':<34}{'n':>6}{'events':>8}  {'Harrell C':<26}{'Uno C':<26}{'IBS skill':<27}"
    lines = [head]
    for j in judgements:
        aucs = "  ".join(f"AUC {h:g} mo {v.value:.3f}" for h, v in j.auc)
        lines.append(
            f"{j.name:<34}{j.patients:>6}{j.events:>8}  {j.harrell!s:<26}{j.uno!s:<26}"
            f"{j.skill!s:<27}{aucs}"
        )
    return "\n".join(lines)
