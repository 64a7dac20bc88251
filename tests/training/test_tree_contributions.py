"""Contributions of tree ensembles are TreeSHAP's, by golden values and by definition."""

import json
from collections.abc import Callable
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.training.cohort import Cohort
from engine.training.tree_contributions import LeafPaths, leaf_paths, shapley_values
from engine.training.trees import LEAF, BoostingSettings, Tree, fit_boosting, fit_forest

GOLDEN = json.loads((Path(__file__).parent / "golden" / "tree_shap.json").read_text())


def tree_from(entry: dict[str, Any]) -> Tree:
    return Tree(
        np.array(entry["feature"]),
        np.array(entry["threshold"], float),
        np.array(entry["left"]),
        np.array(entry["right"]),
        np.array(entry["leaf"], float)[:, None],
        np.array(entry["cover"], float),
    )


@pytest.mark.parametrize("kind", ["boosting", "forest"])
def test_contributions_equal_the_shap_library(kind: str) -> None:
    """Recorded from shap's TreeExplainer (path-dependent); the file names the version."""
    entry = GOLDEN[kind]
    trees = [tree_from(t) for t in entry["trees"]]
    paths = leaf_paths(trees, 0, scale=1.0 if kind == "boosting" else 1.0 / len(trees))
    found = shapley_values(paths, np.array(GOLDEN["rows"]))
    size = max(1.0, abs(entry["base"]))
    assert np.abs(found - entry["values"]).max() <= 1e-6 * size
    assert paths.base == pytest.approx(entry["base"], rel=1e-6)


def hidden_value(tree: Tree, row: np.ndarray, known: set[int]) -> float:
    """Expectation of a tree when only some predictors are known, by recursion."""

    def at(node: int) -> float:
        if tree.feature[node] == LEAF:
            return float(tree.leaf[node, 0])
        left, right = int(tree.left[node]), int(tree.right[node])
        if int(tree.feature[node]) in known:
            goes_left = np.float32(row[tree.feature[node]]) <= tree.threshold[node]
            return at(left if goes_left else right)
        share = tree.cover[left] / tree.cover[node]
        return float(share * at(left) + (1.0 - share) * at(right))

    return at(0)


def test_contributions_are_shapley_values_by_their_definition(
    planted: Callable[..., Cohort],
) -> None:
    """Every coalition enumerated, four predictors, trees of depth four."""
    cohort = planted(120, [0.8, -0.6, 0.4, 0.0], seed=5)
    fit = fit_boosting(cohort.values, cohort.outcome, BoostingSettings(trees=3, depth=4))
    row = cohort.values[7]
    expected = np.zeros(4)
    for j in range(4):
        others = [k for k in range(4) if k != j]
        for size in range(4):
            weight = factorial(size) * factorial(3 - size) / factorial(4)
            for known in combinations(others, size):
                gain = sum(
                    hidden_value(t, row, {*known, j}) - hidden_value(t, row, set(known))
                    for t in fit.trees
                )
                expected[j] += weight * gain
    found = shapley_values(leaf_paths(fit.trees, 0), row[None])[0]
    assert found == pytest.approx(expected, abs=1e-12)


def paths_of(cohort: Cohort, kind: str) -> tuple[LeafPaths, np.ndarray]:
    if kind == "boosting":
        boosted = fit_boosting(cohort.values, cohort.outcome, BoostingSettings(trees=40, depth=3))
        return leaf_paths(boosted.trees, 0), boosted.risk(cohort.values) - boosted.offset
    forest = fit_forest(cohort.values, cohort.outcome, trees=15)
    paths = leaf_paths(forest.trees, -1, scale=1.0 / 15)
    return paths, np.exp(forest.risk(cohort.values))


@pytest.mark.parametrize("kind", ["boosting", "forest"])
def test_contributions_and_base_sum_to_the_output(
    planted: Callable[..., Cohort], kind: str
) -> None:
    cohort = planted(150, [0.8, -0.6, 0.3, 0.0, 0.0], seed=1)
    paths, output = paths_of(cohort, kind)
    total = shapley_values(paths, cohort.values).sum(axis=1) + paths.base
    assert np.abs(total - output).max() <= 1e-9 * np.abs(output).max()


def test_a_predictor_no_tree_splits_on_contributes_nothing(
    planted: Callable[..., Cohort],
) -> None:
    cohort = planted(150, [0.8, -0.6, 0.3], seed=1)
    values = np.column_stack((cohort.values, np.ones(150)))
    fit = fit_boosting(values, cohort.outcome, BoostingSettings(trees=20, depth=2))
    assert (shapley_values(leaf_paths(fit.trees, 0), values)[:, 3] == 0.0).all()
