"""Missing values filled in by chained equations, once for serving or several times for Rubin.

Every incomplete column is regressed on all others, in turn, until the values settle
(doi:10.18637/jss.v045.i03). At a new patient the fitted equations run without noise, so the
same patient always gets the same numbers and ONNX operators can do it. For multiple
imputation the training rows are completed several times with noise, the outcome among the
regressors (doi:10.1002/sim.3618), and the coefficients are pooled by Rubin's rules.
"""

from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.training.cox import breslow_baseline
from engine.training.outcome import Booleans, Floats, Integers, Outcome

SWEEPS = 5
RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class ChainedEquations:
    """Fitted equations on transformed predictors.

    Attributes:
        targets: Incomplete columns in the order they are filled in, shape (k,).
        weights: Coefficients of each target on all columns (0 on itself), shape (k, q).
        intercepts: Shape (k,).
        lower, upper: Observed range of each target; predictions are kept inside, shape (k,).
        spread: Residual standard deviation of each target, shape (k,).
    """

    targets: Integers
    weights: Floats
    intercepts: Floats
    lower: Floats
    upper: Floats
    spread: Floats

    def complete(self, filled: Floats, observed: Booleans) -> Floats:
        """Replace the first guesses in ``filled`` where not observed, shape (n, q)."""
        x = filled.copy()
        for _ in range(SWEEPS):
            for k, column in enumerate(self.targets):
                found = np.clip(
                    x @ self.weights[k] + self.intercepts[k], self.lower[k], self.upper[k]
                )
                x[:, column] = np.where(observed[:, column], x[:, column], found)
        return x


def fit_chained(filled: Floats, observed: Booleans) -> ChainedEquations:
    """Fit the equations.

    Args:
        filled: Transformed predictors with a first guess where missing, shape (n, q).
        observed: Where the value is real, shape (n, q).
    """
    x = filled.copy()
    targets = np.flatnonzero(~observed.all(axis=0))
    weights, intercepts = np.zeros((len(targets), x.shape[1])), np.zeros(len(targets))
    spread = np.zeros(len(targets))
    lower = np.array([x[observed[:, t], t].min() for t in targets])
    upper = np.array([x[observed[:, t], t].max() for t in targets])
    for _ in range(SWEEPS):
        for k, column in enumerate(targets.tolist()):
            own = observed[:, column]
            weights[k], intercepts[k], spread[k] = _regress(x, column, own)
            found = np.clip(x @ weights[k] + intercepts[k], lower[k], upper[k])
            x[:, column] = np.where(own, x[:, column], found)
    return ChainedEquations(targets, weights, intercepts, lower, upper, spread)


def complete_several(
    filled: Floats, observed: Booleans, outcome: Outcome, *, times: int, seed: int
) -> list[Floats]:
    """Complete training rows several times, with noise and uncertain equations.

    The event and the Nelson–Aalen cumulative hazard stand among the regressors; each round
    draws the rows the equations are fitted on (bootstrap) and adds residual noise.
    """
    known = np.column_stack((outcome.event.astype(np.float64), nelson_aalen(outcome)))
    width = filled.shape[1]
    full = np.column_stack((filled, known))
    seen = np.column_stack((observed, np.ones(known.shape, bool)))
    targets = np.flatnonzero(~observed.all(axis=0)).tolist()
    random = np.random.default_rng(seed)
    results = []
    for _ in range(times):
        x = full.copy()
        for _ in range(SWEEPS):
            for column in targets:
                own = np.flatnonzero(seen[:, column])
                drawn = random.choice(own, len(own))
                weights, intercept, spread = _regress(x, column, drawn)
                noise = random.normal(scale=spread, size=len(x))
                found = x @ weights + intercept + noise
                x[:, column] = np.where(seen[:, column], x[:, column], found)
        results.append(x[:, :width])
    return results


def nelson_aalen(outcome: Outcome) -> Floats:
    """Cumulative hazard at each patient's time, shape (n,)."""
    return breslow_baseline(np.zeros(len(outcome)), outcome)(outcome.time)


def _regress(x: Floats, column: int, rows: Integers | Booleans) -> tuple[Floats, float, float]:
    """Ridge regression of a column on the others: weights (q,), intercept, residual spread."""
    others = np.delete(np.arange(x.shape[1]), column)
    design, target = x[rows][:, others], x[rows, column]
    center, scale = design.mean(axis=0), np.maximum(design.std(axis=0), 1e-9)
    standard = (design - center) / scale
    gram = standard.T @ standard + RIDGE * len(standard) * np.eye(len(others))
    slope = np.linalg.solve(gram, standard.T @ (target - target.mean())) / scale
    weights = np.zeros(x.shape[1])
    weights[others] = slope
    intercept = float(target.mean() - center @ slope)
    return weights, intercept, float((target - design @ slope - intercept).std())


@dataclass(frozen=True, slots=True)
class RubinPool:
    """Pooled estimates of p coefficients from M completed data sets.

    Attributes:
        estimate: Mean, shape (p,).
        variance: Total variance: within + (1 + 1/M) between, shape (p,).
        fraction: Share of the variance that missing values cause, shape (p,).
        degrees: Rubin's degrees of freedom, shape (p,); infinite without between variance.
    """

    estimate: Floats
    variance: Floats
    fraction: Floats
    degrees: Floats


def pool_by_rubin(estimates: Floats, variances: Floats) -> RubinPool:
    """Rubin's rules (doi:10.1002/9780470316696).

    Args:
        estimates: Shape (M, p).
        variances: Squared standard errors, shape (M, p).

    Raises:
        InputError: Fewer than two data sets.
    """
    count = len(estimates)
    if count < 2:
        raise InputError(f"Rubin's rules need two imputations or more, found {count}")
    within, between = variances.mean(axis=0), estimates.var(axis=0, ddof=1)
    extra = (1.0 + 1.0 / count) * between
    total = within + extra
    some = extra > 0
    degrees = (count - 1) * (1.0 + within / np.where(some, extra, 1.0)) ** 2
    return RubinPool(
        estimates.mean(axis=0),
        total,
        extra / np.where(total > 0, total, 1.0),
        np.where(some, degrees, np.inf),
    )
