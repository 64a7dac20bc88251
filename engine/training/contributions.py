"""What each predictor of a fitted model adds to a patient's linear predictor.

Linear models are split exactly; boosting by TreeSHAP, path-dependent; a forest by TreeSHAP on
its summed cumulative hazard, brought to the log scale by one factor per patient so that
shares and order stay TreeSHAP's; the one-layer network by integrated gradients from the
cohort's mean. In all of them base + Σ contributions = linear predictor.
"""

from dataclasses import dataclass

import numpy as np

from engine.training.fusion import FusedModel, available
from engine.training.linear import LinearFit
from engine.training.networks import NetworkFit
from engine.training.outcome import Booleans, Floats
from engine.training.preparation import Preparation
from engine.training.strategies import PreparedModel
from engine.training.tree_contributions import leaf_paths, shapley_values
from engine.training.trees import SMALLEST_HAZARD, BoostingFit, ForestFit

FLAT = 1e-12
METHODS = {
    LinearFit: "exact (linear model)",
    NetworkFit: "integrated gradients from the cohort's mean",
    BoostingFit: "TreeSHAP, path-dependent",
    ForestFit: "TreeSHAP, path-dependent, of the summed cumulative hazard, on the log scale",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Contributions of n patients.

    Attributes:
        contributions: Per input column, shape (n, p).
        base: Linear predictor before any contribution, shape (n,).
    """

    contributions: Floats
    base: Floats


def contribution_method(model: object) -> str:
    """How ``explain`` splits a model; empty for a model it cannot split."""
    if isinstance(model, FusedModel):
        methods = [contribution_method(base) for base in model.bases]
        if model.rule == "vote" or not all(methods):
            return ""
        return f"{'; '.join(dict.fromkeys(methods))}; bases weighted by the fusion's rule"
    if not isinstance(model, PreparedModel):
        return ""
    rotated = model.preparation.rotation is not None
    if rotated and isinstance(model.estimator, BoostingFit | ForestFit):
        return ""
    return METHODS.get(type(model.estimator), "")


def explain(model: PreparedModel | FusedModel, values: Floats) -> Explanation | None:
    """Split the linear predictor of raw values, shape (n, p); None where it cannot be split."""
    if not contribution_method(model):
        return None
    if isinstance(model, PreparedModel):
        return _explain_prepared(model, values)
    factors = fusion_factors(model, available(values, model.columns))
    total, base = np.zeros_like(values), np.zeros(len(values))
    for k, part in enumerate(model.bases):
        own = _explain_prepared(part, values)
        total += factors[:, [k]] * own.contributions
        base += factors[:, k] * (own.base - model.center[k])
    return Explanation(total, base)


def fusion_factors(model: FusedModel, present: Booleans) -> Floats:
    """By how much one unit of each base's risk moves the fused one, shape (n, k)."""
    if model.rule in ("stack", "nomogram"):
        return np.asarray(present * (model.final.coefficients / model.scale), np.float64)
    share = present * model.weights
    total = share.sum(axis=1, keepdims=True)
    mean = share / np.where(total > 0, total, 1.0)
    return np.asarray(mean * (model.final.coefficients[0] / model.scale), np.float64)


def place_matrix(preparation: Preparation, predictors: int) -> Floats:
    """Which input column each prepared column counts for, shape (columns, p)."""
    place = np.zeros((len(preparation.sources), predictors))
    place[np.arange(len(preparation.sources)), preparation.sources] = 1.0
    return place


def unrotated(preparation: Preparation, weights: Floats) -> Floats:
    """Weights of components as weights of the columns before rotation."""
    return weights if preparation.rotation is None else preparation.rotation @ weights


def _explain_prepared(model: PreparedModel, values: Floats) -> Explanation:
    preparation = model.preparation
    x = preparation.scaled(values)
    place = place_matrix(preparation, values.shape[1])
    match model.estimator:
        case LinearFit() as fit:
            share, base = x * unrotated(preparation, fit.coefficients), np.zeros(len(x))
        case NetworkFit() as fit:
            share, base = _network_shares(fit, preparation, x)
        case BoostingFit() as fit:
            paths = leaf_paths(fit.trees, 0)
            share, base = shapley_values(paths, x), np.full(len(x), paths.base + fit.offset)
        case ForestFit() as fit:
            share, base = _forest_shares(fit, x)
        case _:
            raise TypeError(f"{type(model.estimator).__name__} has no contributions")
    return Explanation(share @ place, base)


def _network_shares(fit: NetworkFit, preparation: Preparation, x: Floats) -> tuple[Floats, Floats]:
    """Integrated gradients; along a ray tanh's mean slope is its own difference quotient."""
    hidden = unrotated(preparation, fit.hidden)
    reach = x @ hidden
    small = np.abs(reach) < FLAT
    quotient = (np.tanh(reach + fit.bias) - np.tanh(fit.bias)) / np.where(small, 1.0, reach)
    slope = np.where(small, 1.0 - np.tanh(fit.bias) ** 2, quotient)
    share = x * ((slope * fit.output) @ hidden.T)
    return share, np.full(len(x), float(np.tanh(fit.bias) @ fit.output))


def _forest_shares(fit: ForestFit, x: Floats) -> tuple[Floats, Floats]:
    paths = leaf_paths(fit.trees, -1, scale=1.0 / len(fit.trees))
    share = shapley_values(paths, x)
    moved = share.sum(axis=1)
    base = np.log(max(paths.base, SMALLEST_HAZARD))
    risk = np.log(np.maximum(paths.base + moved, SMALLEST_HAZARD))
    flat = np.abs(moved) < FLAT
    factor = np.where(flat, 1.0, risk - base) / np.where(flat, max(paths.base, FLAT), moved)
    return share * factor[:, None], np.full(len(x), base)
