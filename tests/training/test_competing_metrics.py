"""Metrics under competing risks: brute force without censoring, weights with it."""

import numpy as np
import pytest

from engine.errors import InputError
from engine.training import competing_metrics as metrics
from engine.training.competing_metrics import CompetingOutcome
from engine.training.concordance import auc_pairs, harrell_c, uno_c
from engine.training.outcome import Outcome, aalen_johansen

TIMES = np.array([3.0, 6.0, 9.0])
ALL = np.zeros(600, np.int64)


def patients(*, censored: bool, seed: int = 3) -> tuple[np.ndarray, CompetingOutcome]:
    """Risks, and times of two causes; censoring at random or none."""
    random = np.random.default_rng(seed)
    risk = random.normal(size=600)
    first = random.exponential(10 / np.exp(0.8 * risk))
    second = random.exponential(15, 600)
    end = random.uniform(2, 20, 600) if censored else np.full(600, np.inf)
    time = np.minimum(np.minimum(first, second), end)
    return risk, CompetingOutcome(time, np.where(time == first, 1, np.where(time == second, 2, 0)))


def test_without_censoring_auc_and_brier_are_those_of_a_known_state() -> None:
    """Golden: counting pairs and squared errors by hand."""
    risk, outcome = patients(censored=False)
    had = (outcome.cause == 1) & (outcome.time <= 6.0)
    order = risk[had][:, None] - risk[~had][None, :]
    found = metrics.auc_pairs(risk, outcome, 6.0, groups=ALL).concordance()
    assert found == pytest.approx(float((order > 0).mean()))
    survival = np.full((600, 3), 0.7)
    score = metrics.brier_scores(survival, outcome, TIMES)[1]
    assert score == pytest.approx(float(((had - 0.3) ** 2).mean()))


def test_weights_undo_censoring() -> None:
    """The same quantities with censored patients lie near those without."""
    risk, whole = patients(censored=False)
    _, cut = patients(censored=True)
    for horizon in (3.0, 6.0):
        truth = metrics.auc_pairs(risk, whole, horizon, groups=ALL).concordance()
        found = metrics.auc_pairs(risk, cut, horizon, groups=ALL).concordance()
        assert found == pytest.approx(truth, abs=0.025)
    survival = np.clip(0.8 - 0.1 * risk[:, None] * np.ones((1, 3)), 0.01, 0.99)
    truth_brier = metrics.brier_scores(survival, whole, TIMES)
    assert metrics.brier_scores(survival, cut, TIMES) == pytest.approx(truth_brier, abs=0.02)


def test_without_competing_events_they_are_the_ordinary_metrics() -> None:
    risk, outcome = patients(censored=True)
    single = CompetingOutcome(outcome.time, np.where(outcome.cause == 2, 0, outcome.cause))
    plain = Outcome(single.time, single.cause == 1)
    harrell = metrics.concordance_pairs(risk, single, tau=np.inf, groups=ALL, weighted=False)
    assert harrell.concordance() == pytest.approx(harrell_c(risk, plain))
    uno = metrics.concordance_pairs(risk, single, tau=9.0, groups=ALL, weighted=True)
    assert uno.concordance() == pytest.approx(uno_c(risk, plain, tau=9.0), abs=1e-3)
    auc = metrics.auc_pairs(risk, single, 6.0, groups=ALL).concordance()
    assert auc == pytest.approx(auc_pairs(risk, plain, 6.0).concordance(), abs=1e-3)


def test_a_competing_event_counts_as_never() -> None:
    """Two patients: the one with the competing event must have the lower risk."""
    outcome = CompetingOutcome(np.array([5.0, 2.0]), np.array([1, 2]))
    groups = np.zeros(2, np.int64)
    for risk, value in (([1.0, 0.0], 1.0), ([0.0, 1.0], 0.0)):
        found = metrics.concordance_pairs(
            np.array(risk), outcome, tau=np.inf, groups=groups, weighted=False
        )
        assert found.concordance() == value


def test_the_average_has_no_skill_and_is_calibrated() -> None:
    _, outcome = patients(censored=True)
    average = 1.0 - aalen_johansen(outcome.time, outcome.cause, of=1)(TIMES)
    survival = np.broadcast_to(average, (600, 3))
    assert metrics.judge_brier(survival, outcome, TIMES).skill == pytest.approx(0.0)
    found = metrics.judge_calibration(survival[:, 1], outcome, 6.0)
    assert found.ici == pytest.approx(0.0, abs=1e-9)
    assert found.intercept == pytest.approx(0.0, abs=1e-6)


def test_one_minus_kaplan_meier_as_incidence_is_found_too_high() -> None:
    """The usual mistake: deaths counted as censoring overstate recurrence."""
    _, outcome = patients(censored=True)
    wrong = aalen_johansen(outcome.time, np.where(outcome.cause == 1, 1, 0), of=1)(6.0)
    found = metrics.judge_calibration(np.full(600, 1.0 - float(wrong)), outcome, 6.0)
    assert found.intercept < -0.1
    assert found.mean_predicted_risk > found.observed_risk + 0.02


def test_true_incidences_are_calibrated_and_useful() -> None:
    """The generator's own incidence has slope 1 and net benefit above treating everybody."""
    risk, outcome = patients(censored=True, seed=9)
    rate = 0.1 * np.exp(0.8 * risk)
    total = rate + 1 / 15
    incidence = rate / total * (1 - np.exp(-total * 6.0))
    found = metrics.judge_calibration(1.0 - incidence, outcome, 6.0)
    assert found.slope == pytest.approx(1.0, abs=0.15)
    assert found.ici < 0.05
    curve = metrics.decision_curve(incidence, outcome, 6.0, np.array([0.3, 0.5]))
    assert (curve.model > np.maximum(curve.treat_all, 0.0)).all()


def test_other_causes_than_two_are_refused() -> None:
    with pytest.raises(InputError, match="one cause 0, 1 or 2"):
        CompetingOutcome(np.array([1.0]), np.array([3]))
