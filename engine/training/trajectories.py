"""Trajectory classes and survival-path trees on what is known at a landmark."""

from dataclasses import dataclass

import numpy as np
from sklearn.mixture import GaussianMixture
from sksurv.tree import SurvivalTree
from sksurv.util import Surv

from engine.training.linear import LinearFit, fit_ridge
from engine.training.outcome import Floats, Outcome
from engine.training.trees import ForestFit, tree_of


@dataclass(frozen=True, slots=True)
class ClassFit:
    """Latent classes of trajectories and a Cox model on their probabilities.

    Attributes:
        weights, means, variances: Mixture, shapes (k,), (k, r) and (k, r).
        cox: Proportional hazards on the k - 1 last class probabilities.
    """

    weights: Floats
    means: Floats
    variances: Floats
    cox: LinearFit

    def probabilities(self, x: Floats) -> Floats:
        """Class probabilities, shape (n, k)."""
        off = x[:, None, :] - self.means
        density = -0.5 * (off**2 / self.variances + np.log(self.variances)).sum(axis=2)
        score = density + np.log(self.weights)
        relative = np.exp(score - score.max(axis=1, keepdims=True))
        return np.asarray(relative / relative.sum(axis=1, keepdims=True), np.float64)

    def risk(self, x: Floats) -> Floats:
        """Linear predictor, shape (n,); higher means higher risk."""
        return self.cox.risk(self.probabilities(x)[:, 1:])

    def survival(self, x: Floats, times: Floats) -> Floats:
        """Survival, shape (n, T)."""
        return self.cox.survival(self.probabilities(x)[:, 1:], times)


def fit_classes(
    x: Floats, outcome: Outcome, *, classes: int = 4, ridge: float = 1.0, seed: int = 0
) -> ClassFit:
    """Find classes in trajectory summaries without the outcome, then relate them to it."""
    mixture = GaussianMixture(
        classes, covariance_type="diag", reg_covar=1e-3, n_init=2, random_state=seed
    ).fit(x)
    blank = fit_ridge(np.zeros((len(x), classes - 1)), outcome)
    bare = ClassFit(mixture.weights_, mixture.means_, mixture.covariances_, blank)
    cox = fit_ridge(bare.probabilities(x)[:, 1:], outcome, ridge=ridge)
    return ClassFit(mixture.weights_, mixture.means_, mixture.covariances_, cox)


def fit_path_tree(
    x: Floats, outcome: Outcome, *, depth: int = 4, leaf_size: int = 40, seed: int = 0
) -> ForestFit:
    """One survival tree on the values known at the landmark: its leaves are paths."""
    model = SurvivalTree(
        max_depth=depth,
        min_samples_leaf=leaf_size,
        min_samples_split=2 * leaf_size,
        random_state=seed,
    )
    model.fit(x, Surv.from_arrays(outcome.event, outcome.time))
    return ForestFit((tree_of(model),), model.unique_times_)
