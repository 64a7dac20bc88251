"""One table of everything a statistician asks of a survival model, with intervals."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.training.brier import BrierResult, brier_scores, judge_brier
from engine.training.calibration import Calibration, judge_calibration
from engine.training.concordance import PairTable, auc_pairs, merged, pair_table, uno_pairs
from engine.training.decision import DecisionCurve, decision_curve
from engine.training.outcome import (
    Floats,
    Integers,
    Outcome,
    check_horizons,
    kaplan_meier,
    largest_safe_horizon,
)
from engine.training.resampling import Interval, concordance_interval, metric_interval
from engine.training.validation import HeldOut

THRESHOLDS = np.arange(0.05, 0.96, 0.05)


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
    refused_horizons: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What is judged: one or more rounds of predictions for the same rows.

    Attributes:
        name: The strategy or model.
        risk: Shape (rounds, n); higher means earlier failure.
        survival: Mean over the rounds, shape (n, T).
        times: Shape (T,), months.
        groups: Rows that may be compared, shape (rounds, n).
        patients: Patient of each row, shape (n,).
    """

    name: str
    risk: Floats
    survival: Floats
    times: Floats
    outcome: Outcome
    groups: Integers
    patients: Integers


def held_out_predictions(held: HeldOut, patients: Integers) -> Predictions:
    """Out-of-fold predictions, ready to be judged."""
    return Predictions(
        name=held.name,
        risk=held.risk,
        survival=held.mean_survival(),
        times=held.times,
        outcome=held.outcome,
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
        HorizonError: No horizon can be judged.
    """
    p, outcome = predictions, predictions.outcome
    safe = min(largest_safe_horizon(outcome), float(p.times[-1]))
    usable = tuple(h for h in horizons if h <= safe and h in p.times)
    if not usable:
        check_horizons(outcome, horizons)
    refused = [f"{h:g}" for h in horizons if h not in usable]
    tau = usable[-1]
    grid = p.times[p.times <= safe]

    def rounds(pairs_of: Callable[..., PairTable]) -> Interval:
        table = merged(pairs_of(r, g) for r, g in zip(p.risk, p.groups, strict=True))
        return concordance_interval(table, p.patients, resamples=resamples, seed=seed)

    return Judgement(
        name=p.name,
        patients=len(np.unique(p.patients)),
        events=int(outcome.event.sum()),
        harrell=rounds(lambda r, g: pair_table(r, outcome, groups=g)),
        uno=rounds(lambda r, g: uno_pairs(r, outcome, tau=tau, groups=g)),
        tau=tau,
        auc=tuple(
            (h, rounds(lambda r, g, h=h: auc_pairs(r, outcome, h, groups=g))) for h in usable
        ),
        brier=judge_brier(p.survival[:, : len(grid)], outcome, grid),
        skill=_skill(p, grid, resamples, seed),
        calibrations=tuple(judge_calibration(_at(p, h), outcome, h) for h in usable),
        decisions=tuple(
            (h, decision_curve(1.0 - _at(p, h), outcome, h, THRESHOLDS)) for h in usable
        ),
        refused_horizons=(
            f"{', '.join(refused)} months refused; largest safe horizon {safe:g} months"
            if refused
            else ""
        ),
    )


def _at(p: Predictions, horizon: float) -> Floats:
    return p.survival[:, int(np.flatnonzero(p.times == horizon)[0])]


def _skill(p: Predictions, grid: Floats, resamples: int, seed: int) -> Interval:
    survival = p.survival[:, : len(grid)]

    def skill(rows: Integers) -> float:
        outcome = p.outcome.take(rows)
        own = brier_scores(survival[rows], outcome, grid).mean()
        average = np.broadcast_to(kaplan_meier(outcome)(grid), (len(rows), len(grid)))
        return 1.0 - float(own / brier_scores(average, outcome, grid).mean())

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
