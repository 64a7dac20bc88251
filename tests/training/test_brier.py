"""Brier scores against scikit-survival and the Kaplan–Meier reference."""

import numpy as np
import pytest
from sksurv.metrics import brier_score, integrated_brier_score
from sksurv.util import Surv

from engine.errors import InputError
from engine.training.brier import brier_scores, judge_brier
from engine.training.cox import fit_cox
from engine.training.outcome import Floats, HorizonError, Outcome, kaplan_meier

Case = tuple[Floats, Outcome, Floats]
TIMES = np.array([6.0, 12.0, 24.0])


def test_scores_and_their_integral_equal_scikit_survival(rounded: Case) -> None:
    x, outcome, _ = rounded
    survival = fit_cox(x, outcome).survival(x, TIMES)
    target = Surv.from_arrays(outcome.event, outcome.time)
    found = judge_brier(survival, outcome, TIMES)
    assert found.scores == pytest.approx(brier_score(target, target, survival, TIMES)[1])
    golden = integrated_brier_score(target, target, survival, TIMES)
    assert found.integrated == pytest.approx(golden)


def test_kaplan_meier_has_no_skill_over_itself(rounded: Case) -> None:
    _, outcome, _ = rounded
    same = np.broadcast_to(kaplan_meier(outcome)(TIMES), (len(outcome), 3))
    assert judge_brier(same, outcome, TIMES).skill == pytest.approx(0.0)


def test_a_true_model_has_skill_and_an_inverted_one_has_not(rounded: Case) -> None:
    x, outcome, _ = rounded
    fit = fit_cox(x, outcome)
    assert judge_brier(fit.survival(x, TIMES), outcome, TIMES).skill > 0
    assert judge_brier(fit.survival(-x, TIMES), outcome, TIMES).skill < 0


def test_without_censoring_it_is_the_mean_squared_error() -> None:
    outcome = Outcome(np.array([1.0, 5.0, 9.0, 13.0]), np.ones(4, bool))
    survival = np.array([[0.2], [0.4], [0.9], [0.7]])
    expected = np.mean([0.2**2, 0.4**2, 0.1**2, 0.3**2])
    assert brier_scores(survival, outcome, np.array([6.0]))[0] == pytest.approx(expected)


def test_times_beyond_follow_up_are_refused(rounded: Case) -> None:
    _, outcome, _ = rounded
    with pytest.raises(HorizonError, match="largest safe"):
        judge_brier(np.ones((len(outcome), 1)), outcome, np.array([500.0]))


def test_a_wrong_shape_is_refused(rounded: Case) -> None:
    _, outcome, _ = rounded
    with pytest.raises(InputError, match="must have shape"):
        brier_scores(np.ones((3, 3)), outcome, TIMES)
