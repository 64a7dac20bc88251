"""What happened to the patients, and how predictions are measured against it.

One form for ordinary survival and one for competing risks, so that judging, reports and
packages need not know which they have.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from engine.training import competing_metrics
from engine.training.brier import BrierResult, brier_scores, judge_brier
from engine.training.calibration import Calibration, judge_calibration
from engine.training.competing_metrics import CompetingOutcome
from engine.training.concordance import PairTable, auc_pairs, pair_table, uno_pairs
from engine.training.decision import DecisionCurve, decision_curve
from engine.training.outcome import (
    Booleans,
    Floats,
    Integers,
    Outcome,
    check_horizons,
    kaplan_meier,
)


class Truth(Protocol):
    """Measures of predictions; ``survival`` is the probability of no event of interest yet."""

    @property
    def observed(self) -> Outcome:
        """Follow-up: any event against censoring."""
        ...

    @property
    def events(self) -> int:
        """Events of interest."""
        ...

    def take(self, rows: Integers | Booleans) -> Self:
        """Some of the patients."""
        ...

    def event_free(self, at: Floats) -> Floats:
        """Observed probability of no event of interest yet, same shape."""
        ...

    def harrell_pairs(self, risk: Floats, groups: Integers) -> PairTable:
        """Concordance without weights."""
        ...

    def uno_pairs(self, risk: Floats, groups: Integers, tau: float) -> PairTable:
        """Concordance up to τ, weighted for censoring."""
        ...

    def auc_pairs(self, risk: Floats, groups: Integers, horizon: float) -> PairTable:
        """Cumulative/dynamic AUC."""
        ...

    def brier(self, survival: Floats, times: Floats) -> BrierResult:
        """Brier scores with the reference of everybody's average."""
        ...

    def skill(self, survival: Floats, times: Floats) -> float:
        """1 - mean Brier score / that of the average."""
        ...

    def calibration(self, survival: Floats, horizon: float) -> Calibration:
        """Agreement at a horizon."""
        ...

    def decision(self, risk: Floats, horizon: float, thresholds: Floats) -> DecisionCurve:
        """Net benefit at a horizon."""
        ...


@dataclass(frozen=True, slots=True)
class SurvivalTruth:
    """One kind of event, right-censored."""

    outcome: Outcome

    @property
    def observed(self) -> Outcome:
        """Follow-up: any event against censoring."""
        return self.outcome

    @property
    def events(self) -> int:
        """Events of interest."""
        return int(self.outcome.event.sum())

    def take(self, rows: Integers | Booleans) -> "SurvivalTruth":
        """Some of the patients."""
        return SurvivalTruth(self.outcome.take(rows))

    def event_free(self, at: Floats) -> Floats:
        """Kaplan–Meier estimate."""
        return kaplan_meier(self.outcome)(at)

    def harrell_pairs(self, risk: Floats, groups: Integers) -> PairTable:
        """Concordance without weights."""
        return pair_table(risk, self.outcome, groups=groups)

    def uno_pairs(self, risk: Floats, groups: Integers, tau: float) -> PairTable:
        """Concordance up to τ, weighted for censoring."""
        return uno_pairs(risk, self.outcome, tau=tau, groups=groups)

    def auc_pairs(self, risk: Floats, groups: Integers, horizon: float) -> PairTable:
        """Cumulative/dynamic AUC."""
        return auc_pairs(risk, self.outcome, horizon, groups=groups)

    def brier(self, survival: Floats, times: Floats) -> BrierResult:
        """Brier scores with the reference of everybody's average."""
        return judge_brier(survival, self.outcome, times)

    def skill(self, survival: Floats, times: Floats) -> float:
        """1 - mean Brier score / that of the average."""
        own = brier_scores(survival, self.outcome, times).mean()
        average = np.broadcast_to(self.event_free(times), survival.shape)
        return 1.0 - float(own / brier_scores(average, self.outcome, times).mean())

    def calibration(self, survival: Floats, horizon: float) -> Calibration:
        """Agreement at a horizon."""
        return judge_calibration(survival, self.outcome, horizon)

    def decision(self, risk: Floats, horizon: float, thresholds: Floats) -> DecisionCurve:
        """Net benefit at a horizon."""
        return decision_curve(risk, self.outcome, horizon, thresholds)


@dataclass(frozen=True, slots=True)
class CompetingTruth:
    """The event of interest and one that ends the risk of it."""

    outcome: CompetingOutcome

    @property
    def observed(self) -> Outcome:
        """Follow-up: any event against censoring."""
        return self.outcome.observed

    @property
    def events(self) -> int:
        """Events of interest."""
        return int((self.outcome.cause == 1).sum())

    def take(self, rows: Integers | Booleans) -> "CompetingTruth":
        """Some of the patients."""
        return CompetingTruth(self.outcome.take(rows))

    def event_free(self, at: Floats) -> Floats:
        """Aalen–Johansen estimate."""
        return np.asarray(1.0 - self.outcome.incidence(at), np.float64)

    def harrell_pairs(self, risk: Floats, groups: Integers) -> PairTable:
        """Concordance without weights."""
        return competing_metrics.concordance_pairs(
            risk, self.outcome, tau=np.inf, groups=groups, weighted=False
        )

    def uno_pairs(self, risk: Floats, groups: Integers, tau: float) -> PairTable:
        """Concordance up to τ, weighted for censoring."""
        return competing_metrics.concordance_pairs(
            risk, self.outcome, tau=tau, groups=groups, weighted=True
        )

    def auc_pairs(self, risk: Floats, groups: Integers, horizon: float) -> PairTable:
        """Cumulative/dynamic AUC."""
        return competing_metrics.auc_pairs(risk, self.outcome, horizon, groups=groups)

    def brier(self, survival: Floats, times: Floats) -> BrierResult:
        """Brier scores with the reference of everybody's average."""
        check_horizons(self.observed, tuple(float(t) for t in times))
        return competing_metrics.judge_brier(survival, self.outcome, times)

    def skill(self, survival: Floats, times: Floats) -> float:
        """1 - mean Brier score / that of the average."""
        found = competing_metrics.judge_brier(survival, self.outcome, times)
        return 1.0 - float(found.scores.mean() / found.reference.mean())

    def calibration(self, survival: Floats, horizon: float) -> Calibration:
        """Agreement at a horizon."""
        check_horizons(self.observed, (horizon,))
        return competing_metrics.judge_calibration(survival, self.outcome, horizon)

    def decision(self, risk: Floats, horizon: float, thresholds: Floats) -> DecisionCurve:
        """Net benefit at a horizon."""
        check_horizons(self.observed, (horizon,))
        return competing_metrics.decision_curve(risk, self.outcome, horizon, thresholds)


def truth_of(outcome: Outcome, cause: Integers | None) -> SurvivalTruth | CompetingTruth:
    """The truth of a cohort: competing when it has causes."""
    if cause is None:
        return SurvivalTruth(outcome)
    return CompetingTruth(CompetingOutcome(outcome.time, cause))
