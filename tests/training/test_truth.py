"""The truth of a cohort measures by what happened: one event, or competing ones."""

import numpy as np

from engine.training.outcome import Outcome, aalen_johansen, kaplan_meier
from engine.training.truth import CompetingTruth, SurvivalTruth, truth_of

TIME = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
CAUSE = np.array([1, 2, 1, 0, 2, 1])
AT = np.array([2.5, 4.5])


def test_a_cohort_with_causes_is_judged_under_competing_risks() -> None:
    truth = truth_of(Outcome(TIME, CAUSE == 1), CAUSE)
    assert isinstance(truth, CompetingTruth)
    assert truth.events == 3
    assert truth.observed.event.tolist() == (CAUSE > 0).tolist()
    assert (truth.event_free(AT) == 1 - aalen_johansen(TIME, CAUSE, of=1)(AT)).all()
    assert truth.take(np.array([0, 1])).events == 1


def test_a_cohort_without_causes_is_judged_by_kaplan_meier() -> None:
    outcome = Outcome(TIME, CAUSE > 0)
    truth = truth_of(outcome, None)
    assert isinstance(truth, SurvivalTruth)
    assert truth.events == 5
    assert (truth.event_free(AT) == kaplan_meier(outcome)(AT)).all()


def test_both_truths_agree_when_nothing_competes() -> None:
    """Same pairs, same Brier scores up to the moment at which weights are taken."""
    outcome = Outcome(np.arange(1.0, 61.0), np.arange(60) % 3 > 0)
    risk, groups = -outcome.time + 5 * np.sin(outcome.time), np.zeros(60, np.int64)
    one = truth_of(outcome, None)
    two = truth_of(outcome, outcome.event.astype(np.int64))
    assert (
        one.harrell_pairs(risk, groups).concordance()
        == two.harrell_pairs(risk, groups).concordance()
    )
    survival = np.broadcast_to(np.exp(-np.array([10.0, 20.0]) / 40), (60, 2))
    times = np.array([10.0, 20.0])
    gap = one.brier(survival, times).scores - two.brier(survival, times).scores
    assert np.abs(gap).max() < 0.01
    assert abs(one.skill(survival, times) - two.skill(survival, times)) < 0.05
