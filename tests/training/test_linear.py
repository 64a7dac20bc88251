"""Linear models: golden coefficients, sparsity, recalibration."""

from collections.abc import Callable

import numpy as np
import pytest
from sksurv.linear_model import CoxnetSurvivalAnalysis
from sksurv.util import Surv

from engine.errors import InputError
from engine.training.cohort import Cohort
from engine.training.concordance import harrell_c
from engine.training.cox import fit_cox
from engine.training.linear import (
    fit_elastic_net,
    fit_lasso_then_cox,
    fit_logistic,
    fit_points,
    fit_ridge,
    fit_svm,
    recalibrated,
)
from engine.training.outcome import Outcome, kaplan_meier


@pytest.fixture
def cohort(planted: Callable[..., Cohort]) -> Cohort:
    return planted(300, [0.8, -0.6, 0.0, 0.0, 0.0], seed=1)


def test_ridge_with_more_columns_than_rows_is_the_same_model() -> None:
    """The fit in the row space equals the fit in the column space."""
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 60))
    outcome = Outcome(random.exponential(1, 40), random.random(40) < 0.7)
    assert fit_ridge(x, outcome, ridge=5.0).coefficients == pytest.approx(
        fit_cox(x, outcome, ridge=5.0).coefficients, abs=1e-9
    )


def test_the_lasso_equals_scikit_survival_and_drops_noise(cohort: Cohort) -> None:
    fit = fit_elastic_net(cohort.values, cohort.outcome, strength=0.4)
    golden = CoxnetSurvivalAnalysis(l1_ratio=1.0, n_alphas=2, alpha_min_ratio=0.4)
    golden.fit(cohort.values, Surv.from_arrays(cohort.outcome.event, cohort.outcome.time))
    assert fit.coefficients == pytest.approx(golden.coef_[:, -1])
    assert np.flatnonzero(fit.coefficients).tolist() == [0, 1]


def test_refitting_after_the_lasso_undoes_its_shrinkage(cohort: Cohort) -> None:
    shrunk = fit_elastic_net(cohort.values, cohort.outcome, strength=0.4)
    refitted = fit_lasso_then_cox(cohort.values, cohort.outcome, strength=0.4)
    assert abs(refitted.coefficients[0]) > abs(shrunk.coefficients[0])
    assert (refitted.coefficients[2:] == 0).all()


@pytest.mark.parametrize("fit", [fit_svm, fit_logistic, fit_points])
def test_every_other_loss_points_the_same_way(cohort: Cohort, fit: Callable[..., object]) -> None:
    """High risk fails early, and the recalibrated survival agrees with Kaplan–Meier."""
    found = fit(cohort.values, cohort.outcome)
    assert harrell_c(found.risk(cohort.values), cohort.outcome) > 0.7  # type: ignore[attr-defined]
    survival = found.survival(cohort.values, np.array([12.0]))  # type: ignore[attr-defined]
    observed = float(kaplan_meier(cohort.outcome)(12.0))
    assert survival.mean() == pytest.approx(observed, abs=0.03)


def test_points_are_whole_numbers_up_to_a_scale(cohort: Cohort) -> None:
    coefficients = fit_points(cohort.values, cohort.outcome).coefficients
    unit = np.abs(coefficients[coefficients != 0]).min()
    ratio = coefficients / unit
    assert any(np.allclose(ratio * k, np.round(ratio * k)) for k in range(1, 11))


def test_recalibration_gives_a_slope_of_one(cohort: Cohort) -> None:
    fit = recalibrated(np.array([30.0, -20.0, 0, 0, 0]), cohort.values, cohort.outcome)
    risk = fit.risk(cohort.values)
    again = fit_cox((risk - risk.mean())[:, None], cohort.outcome)
    assert again.coefficients[0] == pytest.approx(1.0, abs=0.01)


def test_a_constant_risk_predicts_the_average(cohort: Cohort) -> None:
    fit = recalibrated(np.zeros(5), cohort.values, cohort.outcome)
    times = np.array([6.0, 24.0])
    expected = kaplan_meier(cohort.outcome)(times)
    assert fit.survival(cohort.values, times)[0] == pytest.approx(expected, abs=0.01)


def test_logistic_regression_needs_both_sides(cohort: Cohort) -> None:
    with pytest.raises(InputError, match="on one side of"):
        fit_logistic(cohort.values, cohort.outcome, horizon=1e9)


@pytest.mark.parametrize("always", [False, True])
def test_a_diverging_elastic_net_goes_in_narrower_steps_or_says_so(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch, always: bool
) -> None:
    """Coordinate descent overflows on 1,550 correlated gene columns if the penalty falls fast."""
    right = fit_elastic_net(cohort.values, cohort.outcome, strength=0.3)
    real = CoxnetSurvivalAnalysis.fit

    def fit(self: CoxnetSurvivalAnalysis, x: object, y: object) -> object:
        if always or self.n_alphas == 2:
            raise ArithmeticError("overflow")
        return real(self, x, y)

    monkeypatch.setattr(CoxnetSurvivalAnalysis, "fit", fit)
    if always:
        with pytest.raises(InputError, match=r"diverged at strength 0\.3"):
            fit_elastic_net(cohort.values, cohort.outcome, strength=0.3)
    else:
        slowly = fit_elastic_net(cohort.values, cohort.outcome, strength=0.3)
        assert slowly.coefficients == pytest.approx(right.coefficients, abs=1e-4)
