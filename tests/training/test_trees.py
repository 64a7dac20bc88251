"""Trees as arrays give exactly what scikit-survival's objects give."""

from collections.abc import Callable

import numpy as np
import pytest
from sksurv.ensemble import GradientBoostingSurvivalAnalysis, RandomSurvivalForest
from sksurv.util import Surv

from engine.training.cohort import Cohort
from engine.training.concordance import harrell_c
from engine.training.trees import BoostingSettings, fit_boosting, fit_forest, fit_lasso_forest


@pytest.fixture
def cohort(planted: Callable[..., Cohort]) -> Cohort:
    return planted(150, [0.8, -0.6, 0.0, 0.0], seed=1)


def test_the_forest_equals_scikit_survival(cohort: Cohort) -> None:
    target = Surv.from_arrays(cohort.outcome.event, cohort.outcome.time)
    golden = RandomSurvivalForest(
        n_estimators=10, min_samples_leaf=10, min_samples_split=20, random_state=0
    ).fit(cohort.values, target)
    fit = fit_forest(cohort.values, cohort.outcome, trees=10)
    assert fit.risk(cohort.values) == pytest.approx(np.log(golden.predict(cohort.values)))
    curves = golden.predict_survival_function(cohort.values, return_array=True)
    assert fit.survival(cohort.values, fit.times) == pytest.approx(curves, abs=1e-12)
    assert (fit.survival(cohort.values, np.array([0.0])) == 1.0).all()


def test_boosting_equals_scikit_survival_up_to_a_constant(cohort: Cohort) -> None:
    target = Surv.from_arrays(cohort.outcome.event, cohort.outcome.time)
    golden = GradientBoostingSurvivalAnalysis(
        n_estimators=20, learning_rate=0.05, max_depth=1, subsample=0.7, random_state=0
    ).fit(cohort.values, target)
    fit = fit_boosting(cohort.values, cohort.outcome, BoostingSettings(trees=20))
    assert np.ptp(fit.risk(cohort.values) - golden.predict(cohort.values)) < 1e-12
    times = np.array([6.0, 18.0])
    curves = [[f(t) for t in times] for f in golden.predict_survival_function(cohort.values)]
    assert fit.survival(cohort.values, times) == pytest.approx(np.array(curves), abs=1e-9)


def test_the_censoring_weighted_loss_predicts_time_and_is_turned_into_risk(
    cohort: Cohort,
) -> None:
    settings = BoostingSettings(loss="ipcwls", trees=60, learning_rate=0.1)
    fit = fit_boosting(cohort.values, cohort.outcome, settings)
    assert harrell_c(fit.risk(cohort.values), cohort.outcome) > 0.65


def test_lasso_then_forest_splits_on_selected_columns_only(cohort: Cohort) -> None:
    fit = fit_lasso_forest(cohort.values, cohort.outcome, strength=0.5, trees=5)
    changed = cohort.values.copy()
    changed[:, 2:] += 100.0
    assert (fit.risk(changed) == fit.risk(cohort.values)).all()
