"""Decision curves and reclassification."""

import numpy as np
import pytest

from engine.training.decision import decision_curve, reclassification
from engine.training.outcome import Floats, HorizonError, Outcome

Case = tuple[Floats, Outcome, Floats]
FULL = Outcome(np.array([1.0, 2.0, 3.0, 4.0] * 10 + [30.0] * 60), np.ones(100, bool))


def test_without_censoring_net_benefit_is_the_counting_formula() -> None:
    """40 of 100 fail by month 12; 30 of them and 20 others are above 0.5.

    Net benefit = 30/100 - 20/100 · 0.5/0.5 = 0.10; treating all = 0.40 - 0.60 = -0.20.
    """
    risk = np.array([0.9] * 30 + [0.1] * 10 + [0.9] * 20 + [0.1] * 40)
    curve = decision_curve(risk, FULL, 12.0, np.array([0.5]))
    assert curve.model[0] == pytest.approx(0.10)
    assert curve.treat_all[0] == pytest.approx(-0.20)


def test_treating_nobody_has_no_benefit(rounded: Case) -> None:
    _, outcome, _ = rounded
    curve = decision_curve(np.zeros(len(outcome)), outcome, 12.0, np.array([0.2, 0.5]))
    assert curve.model.tolist() == [0.0, 0.0]


def test_decision_curves_refuse_horizons_beyond_follow_up(rounded: Case) -> None:
    _, outcome, _ = rounded
    with pytest.raises(HorizonError):
        decision_curve(np.zeros(len(outcome)), outcome, 900.0, np.array([0.5]))


def test_perfect_movement_reclassifies_everybody() -> None:
    failed = FULL.time <= 12
    old = np.full(100, 0.5)
    right = reclassification(old + np.where(failed, 0.1, -0.1), old, FULL, 12.0)
    wrong = reclassification(old - np.where(failed, 0.1, -0.1), old, FULL, 12.0)
    assert (right.events, right.nonevents, right.total) == pytest.approx((1.0, 1.0, 2.0))
    assert wrong.total == pytest.approx(-2.0)


def test_no_movement_reclassifies_nobody() -> None:
    old = np.full(100, 0.5)
    assert reclassification(old, old, FULL, 12.0).total == 0.0
