"""Brier score with censoring and its integral, against Kaplan–Meier."""

from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.training.outcome import (
    Floats,
    Outcome,
    censoring_distribution,
    check_horizons,
    kaplan_meier,
)


@dataclass(frozen=True, slots=True)
class BrierResult:
    """Brier scores over time.

    Attributes:
        times: Where they were computed, months.
        scores: Of the model; lower is better.
        reference: Of Kaplan–Meier, which gives everybody the same survival.
        integrated, integrated_reference: Trapezoid means over the times.
    """

    times: Floats
    scores: Floats
    reference: Floats
    integrated: float
    integrated_reference: float

    @property
    def skill(self) -> float:
        """1 - IBS / IBS of Kaplan–Meier; above 0 beats predicting the average."""
        return 1.0 - self.integrated / self.integrated_reference


def brier_scores(
    survival: Floats, outcome: Outcome, times: Floats, *, reference: Outcome | None = None
) -> Floats:
    """Inverse-probability weighted Brier scores (Graf et al., Stat Med 1999;18:2529).

    Args:
        survival: Predicted survival, shape (n, T).
        outcome: The patients judged.
        times: The T times.
        reference: Patients of the censoring distribution; the judged ones when None.

    Returns:
        Shape (T,).
    """
    if survival.shape != (len(outcome), len(times)):
        raise InputError(
            f"Survival must have shape {(len(outcome), len(times))}, found {survival.shape}"
        )
    censoring = censoring_distribution(reference or outcome)
    own = censoring(outcome.time)
    own_weight = np.divide(1.0, own, out=np.zeros_like(own), where=own > 0)
    scores = np.empty(len(times))
    for k, t in enumerate(times):
        failed = outcome.event & (outcome.time <= t)
        alive = outcome.time > t
        at = float(censoring(float(t)))
        alive_weight = 1.0 / at if at > 0 else 0.0
        predicted = survival[:, k]
        errors = predicted**2 * failed * own_weight + (1 - predicted) ** 2 * alive * alive_weight
        scores[k] = errors.mean()
    return scores


def judge_brier(
    survival: Floats, outcome: Outcome, times: Floats, *, reference: Outcome | None = None
) -> BrierResult:
    """Brier scores, their integral and those of Kaplan–Meier.

    Raises:
        HorizonError: A time lies beyond follow-up.
    """
    check_horizons(outcome, tuple(float(t) for t in times))
    scores = brier_scores(survival, outcome, times, reference=reference)
    average = kaplan_meier(reference or outcome)(times)
    null = brier_scores(
        np.broadcast_to(average, survival.shape), outcome, times, reference=reference
    )
    span = float(times[-1] - times[0])
    if span <= 0:
        return BrierResult(times, scores, null, float(scores[0]), float(null[0]))
    return BrierResult(
        times,
        scores,
        null,
        float(np.trapezoid(scores, times) / span),
        float(np.trapezoid(null, times) / span),
    )
