"""Shapley values of tree ensembles, path-dependent: what TreeSHAP computes.

A leaf's path asks, per predictor, whether the value lies in one interval. Hiding a predictor
replaces its answer by the share of training rows that would have gone the path's way, so a
leaf's worth is a product over the predictors of its path and its Shapley values are
integrals of a polynomial (multilinear extension, doi:10.1287/mnsc.18.5.64):

    φ_j = value · (o_j - z_j) · ∫₀¹ Π_{k≠j} (t·o_k + (1-t)·z_k) dt

with o = 1 inside the interval, else 0, and z the share. Gauss–Legendre quadrature is exact
for a polynomial, so these are TreeSHAP's values with the path-dependent perturbation
(doi:10.1038/s42256-019-0138-9), in a form that ONNX operators can evaluate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.training.outcome import Floats, Integers
from engine.training.trees import LEAF, Tree


@dataclass(frozen=True, slots=True)
class LeafPaths:
    """Every leaf of an ensemble as conditions on K predictors; unused places are neutral.

    Attributes:
        feature: Predictor of each place, shape (L, K).
        lower, upper: The path is taken when lower < x ≤ upper, shape (L, K).
        share: Share of training rows that go the path's way, above 0, shape (L, K).
        value: What the leaf adds to the ensemble's sum, shape (L,).
    """

    feature: Integers
    lower: Floats
    upper: Floats
    share: Floats
    value: Floats

    @property
    def base(self) -> float:
        """The ensemble's sum when every predictor is hidden."""
        return float(self.value @ self.share.prod(axis=1))

    def quadrature(self) -> tuple[Floats, Floats]:
        """Points and weights on 0..1, exact for the degree K - 1."""
        points, weights = np.polynomial.legendre.leggauss(max(1, (self.feature.shape[1] + 1) // 2))
        return (points + 1.0) / 2.0, weights / 2.0


def leaf_paths(trees: Sequence[Tree], payload: int, *, scale: float = 1.0) -> LeafPaths:
    """The leaves of an ensemble whose output is scale · Σ payload column.

    Args:
        trees: With covers.
        payload: Column of the leaves' payload.
        scale: 1 for boosting, 1 / trees for a mean.
    """
    paths = [
        (conditions, scale * float(tree.leaf[leaf, payload]))
        for tree in trees
        for leaf, conditions in _walk(tree)
    ]
    wide = max(1, *(len(conditions) for conditions, _ in paths))
    shape = (len(paths), wide)
    feature, share = np.zeros(shape, np.int64), np.ones(shape)
    lower, upper = np.full(shape, -np.inf), np.full(shape, np.inf)
    for row, (conditions, _) in enumerate(paths):
        for place, (column, (low, high, part)) in enumerate(conditions.items()):
            feature[row, place], share[row, place] = column, part
            lower[row, place], upper[row, place] = low, high
    return LeafPaths(feature, lower, upper, share, np.array([value for _, value in paths]))


Conditions = dict[int, tuple[float, float, float]]


def _walk(tree: Tree) -> Iterator[tuple[int, Conditions]]:
    """Each leaf with its conditions: predictor → (lower, upper, share)."""
    stack: list[tuple[int, Conditions]] = [(0, {})]
    while stack:
        node, known = stack.pop()
        column = int(tree.feature[node])
        if column == LEAF:
            yield node, known
            continue
        low, high, share = known.get(column, (-np.inf, np.inf, 1.0))
        edge = float(tree.threshold[node])
        left, right = int(tree.left[node]), int(tree.right[node])
        goes_left = share * float(tree.cover[left] / tree.cover[node])
        goes_right = share * float(tree.cover[right] / tree.cover[node])
        stack.append((left, {**known, column: (low, min(high, edge), goes_left)}))
        stack.append((right, {**known, column: (max(low, edge), high, goes_right)}))


def shapley_values(paths: LeafPaths, x: Floats) -> Floats:
    """Shapley value of each prepared predictor, shape (n, r).

    With ``paths.base`` they sum to the ensemble's output. Predictors are compared in single
    precision, as the trees compare them.
    """
    single = x.astype(np.float32).astype(np.float64)[:, paths.feature]
    inside = ((single > paths.lower) & (single <= paths.upper)).astype(np.float64)
    total = np.zeros_like(inside)
    for point, weight in zip(*paths.quadrature(), strict=True):
        mixed = point * inside + (1.0 - point) * paths.share
        total += weight * mixed.prod(axis=2, keepdims=True) / mixed
    per_place = total * (inside - paths.share) * paths.value[None, :, None]
    place = np.zeros((paths.feature.size, x.shape[1]))
    place[np.arange(paths.feature.size), paths.feature.ravel()] = 1.0
    return np.asarray(per_place.reshape(len(x), -1) @ place, np.float64)
