"""Forests and boosting, kept as plain arrays of nodes so that ONNX holds exactly the model."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sksurv.ensemble import GradientBoostingSurvivalAnalysis, RandomSurvivalForest
from sksurv.util import Surv

from engine.training.cox import breslow_baseline, fit_cox
from engine.training.linear import LARGEST_SLOPE, LinearFit, fit_elastic_net
from engine.training.outcome import Floats, Integers, Outcome, StepFunction

LEAF = -1
SMALLEST_HAZARD = 1e-9


@dataclass(frozen=True, slots=True)
class Tree:
    """One binary tree: go left when x[feature] ≤ threshold.

    Attributes:
        feature: Split column of each node; LEAF where it is a leaf, shape (m,).
        threshold: Split values, shape (m,).
        left, right: Children, shape (m,).
        leaf: Payload of each node (leaves only), shape (m, k).
        cover: Weight of the training rows that reach each node, shape (m,).
    """

    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    leaf: Floats
    cover: Floats

    def apply(self, x: Floats) -> Floats:
        """Payload of the leaf each row falls in, shape (n, k).

        Predictors are compared in single precision, as scikit-learn splits them.
        """
        single = x.astype(np.float32).astype(np.float64)
        node = np.zeros(len(x), np.int64)
        rows = np.arange(len(x))
        while True:
            inner = self.feature[node] != LEAF
            if not inner.any():
                return np.asarray(self.leaf[node], np.float64)
            split = np.where(inner, self.feature[node], 0)
            goes_left = single[rows, split] <= self.threshold[node]
            child = np.where(goes_left, self.left[node], self.right[node])
            node = np.where(inner, child, node)


@dataclass(frozen=True, slots=True)
class ForestFit:
    """A random survival forest; leaves hold cumulative hazards and survival at event times.

    Attributes:
        trees: Payload: survival at ``times``, then the cumulative hazard summed over event
            times.
        times: Distinct times of the training set, shape (k,).
    """

    trees: tuple[Tree, ...]
    times: Floats

    def risk(self, x: Floats) -> Floats:
        """Log of the ensemble cumulative hazard summed over event times; higher is riskier."""
        total = np.mean([tree.apply(x)[:, -1] for tree in self.trees], axis=0)
        return np.asarray(np.log(np.maximum(total, SMALLEST_HAZARD)), np.float64)

    def survival(self, x: Floats, times: Floats) -> Floats:
        """Mean survival of the trees, shape (n, T)."""
        mean = np.mean([tree.apply(x)[:, :-1] for tree in self.trees], axis=0)
        index = np.searchsorted(self.times, times, side="right")
        return np.asarray(np.column_stack((np.ones(len(x)), mean))[:, index], np.float64)


@dataclass(frozen=True, slots=True)
class BoostingFit:
    """Boosted regression trees on the log hazard.

    Attributes:
        trees: Payload: the tree's share of the linear predictor, learning rate included.
        offset: Constant part of the linear predictor.
        baseline: Cumulative hazard at a linear predictor of 0.
    """

    trees: tuple[Tree, ...]
    offset: float
    baseline: StepFunction

    def risk(self, x: Floats) -> Floats:
        """Linear predictor, shape (n,); higher means higher risk."""
        total = np.full(len(x), self.offset)
        for tree in self.trees:
            total += tree.apply(x)[:, 0]
        return total

    def survival(self, x: Floats, times: Floats) -> Floats:
        """Survival, shape (n, T)."""
        return np.exp(-self.baseline(times)[None, :] * np.exp(self.risk(x))[:, None])


def fit_forest(
    x: Floats,
    outcome: Outcome,
    *,
    trees: int = 150,
    leaf_size: int = 10,
    features: float | str = "sqrt",
    seed: int = 0,
) -> ForestFit:
    """Random survival forest with log-rank splits (doi:10.1214/08-AOAS169)."""
    model = RandomSurvivalForest(
        n_estimators=trees,
        min_samples_leaf=leaf_size,
        min_samples_split=2 * leaf_size,
        max_features=features,
        random_state=seed,
        n_jobs=1,
    )
    model.fit(x, Surv.from_arrays(outcome.event, outcome.time))
    return ForestFit(tuple(tree_of(e) for e in model.estimators_), model.unique_times_)


def fit_lasso_forest(
    x: Floats,
    outcome: Outcome,
    *,
    strength: float = 0.2,
    **settings: Any,  # noqa: ANN401
) -> ForestFit | LinearFit:
    """LASSO selects, a forest predicts; the LASSO itself when it selects nothing."""
    lasso = fit_elastic_net(x, outcome, strength=strength)
    chosen = np.flatnonzero(lasso.coefficients)
    if not len(chosen):
        return lasso
    forest = fit_forest(x[:, chosen], outcome, **settings)
    trees = tuple(
        replace(t, feature=np.where(t.feature == LEAF, LEAF, chosen[np.maximum(t.feature, 0)]))
        for t in forest.trees
    )
    return ForestFit(trees, forest.times)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostingSettings:
    """Hyperparameters of gradient boosting.

    Attributes:
        loss: "coxph" (partial likelihood) or "ipcwls" (censoring-weighted least squares).
    """

    loss: str = "coxph"
    trees: int = 100
    learning_rate: float = 0.05
    depth: int = 1
    subsample: float = 0.7
    seed: int = 0


def fit_boosting(x: Floats, outcome: Outcome, settings: BoostingSettings) -> BoostingFit:
    """Gradient boosting of regression trees on the log hazard or the log time."""
    positive = outcome.time > 0
    x, outcome = x[positive], outcome.take(positive)
    model = GradientBoostingSurvivalAnalysis(
        loss=settings.loss,
        n_estimators=settings.trees,
        learning_rate=settings.learning_rate,
        max_depth=settings.depth,
        subsample=settings.subsample,
        random_state=settings.seed,
    )
    # scikit-survival takes logarithms of the times and then refuses negative ones; the unit
    # is free, because only the order of the predicted log times is used.
    unit = 1.0 if settings.loss == "coxph" else float(outcome.time.min())
    model.fit(x, Surv.from_arrays(outcome.event, outcome.time / unit))
    grown = tuple(
        _regression_tree(e.tree_, settings.learning_rate) for e in model.estimators_[:, 0]
    )
    raw = BoostingFit(grown, 0.0, StepFunction(np.empty(0), np.empty(0), 0.0)).risk(x)
    if settings.loss == "coxph":
        offset = -float(raw.mean())
        return BoostingFit(grown, offset, breslow_baseline(raw + offset, outcome))
    return _as_hazard(grown, raw, outcome)


def _as_hazard(trees: tuple[Tree, ...], log_time: Floats, outcome: Outcome) -> BoostingFit:
    """Turn a predicted log time into a log hazard by a one-parameter Cox model."""
    center, spread = float(log_time.mean()), float(log_time.std())
    slope = 0.0
    if spread > 0:
        fit = fit_cox(((log_time - center) / spread)[:, None], outcome, ridge=1e-3)
        slope = float(np.clip(fit.coefficients[0], -LARGEST_SLOPE, LARGEST_SLOPE)) / spread
    scaled = tuple(replace(t, leaf=t.leaf * slope) for t in trees)
    risk = (log_time - center) * slope
    return BoostingFit(scaled, -center * slope, breslow_baseline(risk, outcome))


def tree_of(estimator: Any) -> Tree:  # noqa: ANN401 - scikit-survival ships no types
    """The nodes of a fitted scikit-survival tree; payload as ForestFit describes."""
    tree = estimator.tree_
    hazard, survival = tree.value[:, :, 0], tree.value[:, :, 1]
    payload = np.column_stack((survival, hazard[:, estimator.is_event_time_].sum(axis=1)))
    return _tree(tree, payload)


def _regression_tree(tree: Any, learning_rate: float) -> Tree:  # noqa: ANN401 - no types
    return _tree(tree, tree.value[:, :, 0] * learning_rate)


def _tree(tree: Any, payload: Floats) -> Tree:  # noqa: ANN401 - scikit-learn ships no types
    leaf = tree.children_left == LEAF
    return Tree(
        np.where(leaf, LEAF, tree.feature).astype(np.int64),
        np.asarray(tree.threshold, np.float64),
        np.asarray(tree.children_left, np.int64),
        np.asarray(tree.children_right, np.int64),
        np.asarray(payload, np.float64),
        np.asarray(tree.weighted_n_node_samples, np.float64),
    )
