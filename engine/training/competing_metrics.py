"""Judging predictions of one cause's cumulative incidence under competing risks.

A competing event ends the patient's risk of the event: he counts as event-free for ever, but
he was observed, so he is not censored. Weights are 1 / P(C ≥ t) from the censoring
distribution alone (doi:10.1002/sim.5958, with controls who may have had the competing event).
"""

from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.training.brier import BrierResult
from engine.training.calibration import (
    SMALLEST_RISK,
    Calibration,
    spline_basis,
    summarize_calibration,
)
from engine.training.concordance import PairTable, weighted_pairs
from engine.training.decision import DecisionCurve
from engine.training.fine_gray import fit_fine_gray, subdistribution_cox
from engine.training.outcome import (
    Booleans,
    Floats,
    Integers,
    Outcome,
    aalen_johansen,
    censoring_distribution,
)


@dataclass(frozen=True, slots=True)
class CompetingOutcome:
    """Times with what happened first: 0 censored, 1 the event, 2 the competing event."""

    time: Floats
    cause: Integers

    def __post_init__(self) -> None:
        if self.time.shape != self.cause.shape or not np.isin(self.cause, (0, 1, 2)).all():
            raise InputError("A competing outcome needs one time and one cause 0, 1 or 2 each")

    def __len__(self) -> int:
        return len(self.time)

    @property
    def observed(self) -> Outcome:
        """Any event against censoring; follow-up is judged on it."""
        return Outcome(self.time, self.cause > 0)

    def take(self, rows: Integers | Booleans) -> "CompetingOutcome":
        """The outcome of some patients."""
        return CompetingOutcome(self.time[rows], self.cause[rows])

    def incidence(self, at: Floats | float) -> Floats:
        """Aalen–Johansen incidence of the event; 0 when nobody had it."""
        if not (self.cause == 1).any():
            return np.zeros_like(np.asarray(at, np.float64))
        return aalen_johansen(self.time, self.cause, of=1)(at)

    def weights(self) -> Floats:
        """1 / P(C ≥ t) at each patient's own time, shape (n,)."""
        return _inverse(censoring_distribution(self.observed).left_limit(self.time))


def _inverse(survival: Floats) -> Floats:
    return np.divide(1.0, survival, out=np.zeros_like(survival), where=survival > 0)


def concordance_pairs(
    risk: Floats, outcome: CompetingOutcome, *, tau: float, groups: Integers, weighted: bool
) -> PairTable:
    """Pairs (i had the event before τ; j longer at risk, or with the competing event).

    Args:
        risk: Higher means earlier event, shape (n,).
        outcome: What happened.
        tau: Events at or after it are not counted.
        groups: Only pairs inside a group are compared.
        weighted: Weight for censoring (doi:10.1093/biostatistics/kxt059); plain when False.
    """
    time, weight = outcome.time, outcome.weights()
    case, other = (outcome.cause == 1) & (time < tau), outcome.cause == 2

    def comparable(rows: Integers) -> Floats:
        t, i, j = time[rows], case[rows], other[rows]
        longer = (t[:, None] < t[None, :]) | ((t[:, None] == t[None, :]) & (~case[rows])[None, :])
        earlier = j[None, :] & ~longer
        if not weighted:
            return np.asarray(i[:, None] & (longer | earlier), np.float64)
        w = weight[rows]
        pair = np.where(longer, w[:, None] ** 2, w[:, None] * w[None, :])
        return np.where(i[:, None] & (longer | earlier), pair, 0.0)

    return weighted_pairs(risk, groups, comparable)


def auc_pairs(
    risk: Floats, outcome: CompetingOutcome, horizon: float, *, groups: Integers
) -> PairTable:
    """Pairs of the AUC: event by the horizon against everybody else known at it."""
    status = horizon_weights(outcome, horizon)
    case = outcome.cause == 1

    def comparable(rows: Integers) -> Floats:
        w = status[rows]
        hit = case[rows] & (outcome.time[rows] <= horizon)
        return np.where(hit, w, 0.0)[:, None] * np.where(hit, 0.0, w)[None, :]

    return weighted_pairs(risk, groups, comparable)


def horizon_weights(outcome: CompetingOutcome, horizon: float) -> Floats:
    """Weight of each patient whose state at the horizon is known, 0 for the others."""
    at = float(censoring_distribution(outcome.observed)(horizon))
    own = np.where((outcome.cause > 0) & (outcome.time <= horizon), outcome.weights(), 0.0)
    return np.where(outcome.time > horizon, 1.0 / at if at > 0 else 0.0, own)


def brier_scores(survival: Floats, outcome: CompetingOutcome, times: Floats) -> Floats:
    """Weighted Brier scores of 1 - survival as incidence, shape (T,)."""
    scores = np.empty(len(times))
    for k, t in enumerate(times):
        had = (outcome.cause == 1) & (outcome.time <= t)
        error = (had - (1.0 - survival[:, k])) ** 2
        scores[k] = float((horizon_weights(outcome, float(t)) * error).mean())
    return scores


def judge_brier(survival: Floats, outcome: CompetingOutcome, times: Floats) -> BrierResult:
    """Brier scores, their integral, and those of Aalen–Johansen as everybody's incidence."""
    scores = brier_scores(survival, outcome, times)
    average = np.broadcast_to(1.0 - outcome.incidence(times), survival.shape)
    null = brier_scores(average, outcome, times)
    span = float(times[-1] - times[0])
    if span <= 0:
        return BrierResult(times, scores, null, float(scores[0]), float(null[0]))
    own, reference = (float(np.trapezoid(s, times) / span) for s in (scores, null))
    return BrierResult(times, scores, null, own, reference)


def judge_calibration(survival: Floats, outcome: CompetingOutcome, horizon: float) -> Calibration:
    """Calibration of the incidence.

    The smoothed curve is a Fine–Gray model on a spline (doi:10.1186/s41512-021-00114-6).
    """
    risk = np.clip(1.0 - survival, SMALLEST_RISK, 1.0 - SMALLEST_RISK)
    transformed = np.log(-np.log(1.0 - risk))
    happened = float(outcome.incidence(horizon))
    basis = spline_basis(transformed, knots=3)
    observed, slope = np.full(len(risk), happened), float("nan")
    late = outcome.time > horizon
    time, cause = np.where(late, horizon, outcome.time), np.where(late, 0, outcome.cause)
    if basis.shape[1] and (cause == 1).any():
        scaled = (basis - basis.mean(axis=0)) / np.maximum(basis.std(axis=0), 1e-12)
        fit = fit_fine_gray(scaled, time, cause, ridge=1e-3)
        observed = 1.0 - fit.survival(scaled, np.array([horizon]))[:, 0]
        centered = (transformed - transformed.mean())[:, None]
        slope = float(subdistribution_cox(centered, time, cause, ridge=1e-6).coefficients[0])
    fifths = [
        (float(risk[rows].mean()), float(outcome.take(rows).incidence(horizon)), len(rows))
        for rows in np.array_split(np.argsort(risk, kind="stable"), 5)
        if len(rows)
    ]
    return summarize_calibration(
        horizon, risk, observed, slope=slope, happened=happened, groups=tuple(fifths)
    )


def decision_curve(
    risk: Floats, outcome: CompetingOutcome, horizon: float, thresholds: Floats
) -> DecisionCurve:
    """Net benefit with the Aalen–Johansen incidence inside the treated."""
    odds = thresholds / (1.0 - thresholds)
    everyone = np.ones(len(risk), bool)

    def benefit(treated: Booleans, o: float) -> float:
        if not treated.any():
            return 0.0
        failing = float(outcome.take(treated).incidence(horizon))
        return float(treated.mean()) * (failing - (1.0 - failing) * o)

    model = [benefit(risk >= t, o) for t, o in zip(thresholds, odds, strict=True)]
    return DecisionCurve(
        thresholds, np.array(model), np.array([benefit(everyone, o) for o in odds])
    )
