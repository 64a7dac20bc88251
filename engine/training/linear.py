"""Models whose risk is linear in the prepared predictors.

Ridge, LASSO and elastic net Cox, survival SVM, logistic regression at a horizon and integer
points scores all end as one LinearFit: coefficients and a cumulative baseline hazard. So
they share one ONNX graph and exact contributions.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sksurv.exceptions import NoComparablePairException
from sksurv.linear_model import CoxnetSurvivalAnalysis
from sksurv.svm import FastSurvivalSVM
from sksurv.util import Surv

from engine.errors import InputError
from engine.training.cox import breslow_baseline, fit_cox
from engine.training.outcome import Floats, Outcome, StepFunction, censoring_distribution

LARGEST_SLOPE = 5.0


@dataclass(frozen=True, slots=True)
class LinearFit:
    """A proportional hazards model on prepared predictors.

    Attributes:
        coefficients: Shape (r,).
        baseline: Cumulative hazard at a linear predictor of 0.
    """

    coefficients: Floats
    baseline: StepFunction

    def risk(self, x: Floats) -> Floats:
        """Linear predictor, shape (n,); higher means higher risk."""
        return np.asarray(x @ self.coefficients, np.float64)

    def survival(self, x: Floats, times: Floats) -> Floats:
        """Survival, shape (n, T)."""
        return np.exp(-self.baseline(times)[None, :] * np.exp(self.risk(x))[:, None])


def fit_ridge(x: Floats, outcome: Outcome, *, ridge: float = 10.0) -> LinearFit:
    """Cox regression with a ridge penalty ridge/2·β² on standardized predictors.

    With more predictors than rows the fit happens in the row space, where the penalty is
    the same: omics with thousands of columns take as long as a few hundred.
    """
    if x.shape[1] <= x.shape[0]:
        fit = fit_cox(x, outcome, ridge=ridge)
        return LinearFit(fit.coefficients, fit.baseline)
    left, size, axes = np.linalg.svd(x, full_matrices=False)
    fit = fit_cox(left * size, outcome, ridge=ridge)
    return LinearFit(axes.T @ fit.coefficients, fit.baseline)


def fit_elastic_net(
    x: Floats, outcome: Outcome, *, l1_ratio: float = 1.0, strength: float = 0.5
) -> LinearFit:
    """Cox regression with an elastic net penalty.

    Args:
        x: Prepared predictors.
        outcome: Training outcome.
        l1_ratio: 1 is the LASSO.
        strength: Penalty as a fraction (0..1) of the smallest one that selects nothing.

    Raises:
        InputError: The descent diverges, in wide and in narrow steps of the penalty.
    """
    positive = outcome.time > 0
    target = Surv.from_arrays(outcome.event[positive], outcome.time[positive])
    for steps in (2, 30):  # a step too wide diverges on many correlated columns
        path = CoxnetSurvivalAnalysis(
            l1_ratio=l1_ratio, n_alphas=steps, alpha_min_ratio=strength, max_iter=100_000
        )
        try:
            path.fit(x[positive], target)
        except ArithmeticError:
            continue
        return recalibrated(path.coef_[:, -1], x, outcome, slope=1.0)
    raise InputError(
        f"The elastic net diverged at strength {strength:g}; raise settings.strength or screen "
        "fewer columns"
    )


def fit_lasso_then_cox(
    x: Floats, outcome: Outcome, *, strength: float = 0.3, ridge: float = 1.0
) -> LinearFit:
    """LASSO selects, a lightly penalized Cox model on the selected ones is fitted."""
    chosen = np.flatnonzero(fit_elastic_net(x, outcome, strength=strength).coefficients)
    coefficients = np.zeros(x.shape[1])
    if len(chosen):
        coefficients[chosen] = fit_cox(x[:, chosen], outcome, ridge=ridge).coefficients
    return recalibrated(coefficients, x, outcome, slope=1.0)


def fit_svm(x: Floats, outcome: Outcome, *, alpha: float = 0.01, seed: int = 0) -> LinearFit:
    """Linear survival SVM with ranking loss (doi:10.1007/978-3-319-23525-7_15).

    Raises:
        InputError: No pair can be compared.
    """
    model = FastSurvivalSVM(alpha=alpha, rank_ratio=1.0, max_iter=100, tol=1e-5, random_state=seed)
    try:
        model.fit(x, Surv.from_arrays(outcome.event, outcome.time))
    except NoComparablePairException as error:
        raise InputError("The survival SVM found no comparable pair") from error
    return recalibrated(model.coef_, x, outcome)


def fit_logistic(
    x: Floats, outcome: Outcome, *, horizon: float = 24.0, inverse_penalty: float = 0.1
) -> LinearFit:
    """Logistic regression of the event by a horizon, weighted for censoring.

    Patients censored before the horizon get weight 0 and the others 1 / P(C ≥ t).

    Raises:
        InputError: All weighted patients are on one side of the horizon.
    """
    failed = outcome.event & (outcome.time <= horizon)
    known = failed | (outcome.time > horizon)
    left = censoring_distribution(outcome).left_limit(np.minimum(outcome.time, horizon))
    if len(set(failed[known].tolist())) < 2:
        raise InputError(f"Every patient is on one side of {horizon:g} months")
    model = LogisticRegression(C=inverse_penalty, max_iter=1000)
    model.fit(x[known], failed[known], sample_weight=1.0 / np.maximum(left[known], 1e-3))
    return recalibrated(model.coef_[0], x, outcome)


def fit_points(
    x: Floats, outcome: Outcome, *, ridge: float = 10.0, strength: float = 0.2
) -> LinearFit:
    """Integer points score from a Cox model (doi:10.1002/sim.1742).

    The LASSO selects, coefficients are divided by the smallest kept one and rounded;
    survival follows from the recalibrated sum of points.
    """
    selected = np.flatnonzero(fit_elastic_net(x, outcome, strength=strength).coefficients)
    if not len(selected):
        return recalibrated(np.zeros(x.shape[1]), x, outcome)
    beta = fit_cox(x[:, selected], outcome, ridge=ridge).coefficients
    unit = max(float(np.abs(beta).min()), float(np.abs(beta).max()) / 10.0)
    points = np.zeros(x.shape[1])
    points[selected] = np.round(beta / unit)
    return recalibrated(points, x, outcome)


def recalibrated(
    direction: Floats, x: Floats, outcome: Outcome, *, slope: float | None = None
) -> LinearFit:
    """Give a linear risk a proportional hazards scale and a baseline.

    Args:
        direction: Coefficients of a risk that only needs to order patients.
        x: Training predictors.
        outcome: Training outcome.
        slope: Known slope; estimated by a one-parameter Cox model when None.
    """
    risk = x @ direction
    center = float(risk.mean())
    spread = float(risk.std())
    if slope is None:
        slope = 0.0
        if spread > 0:
            fit = fit_cox(((risk - center) / spread)[:, None], outcome, ridge=1e-3)
            slope = float(np.clip(fit.coefficients[0], -LARGEST_SLOPE, LARGEST_SLOPE)) / spread
    coefficients = np.asarray(direction * slope, np.float64)
    return LinearFit(coefficients, breslow_baseline(x @ coefficients, outcome))
