"""A strategy against a stage, and subsets and subgroups."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.training.cohort import Cohort
from engine.training.recipe import PreparationSpec, StrategySpec, ValidationSpec
from engine.training.staging_reference import compare_with_stage
from engine.training.strategies import fit_once
from engine.training.subsets import (
    modality_subsets,
    subgroup_concordances,
    subset_concordances,
)
from engine.training.validation import FittedStrategy, HeldOut, cross_validate

CHECK = ValidationSpec(folds=4, repeats=1, seed=1, bootstrap=30)
TIMES = np.array([12.0])


def fit(train: Cohort, _seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
    spec = StrategySpec(name="r", model="ridge", preparation=PreparationSpec(missing="mean"))
    return fit_once(spec, train), {}


@pytest.fixture
def cohort(planted: Callable[..., Cohort]) -> Cohort:
    made = planted(300, [0.9, 0.7, 0.0], seed=2, modalities=["a", "b", "c"])
    stage = (made.values[:, 0] > 0).astype(float)
    return replace(made, extra={"stage": stage, "noise": made.values[:, 2]})


@pytest.fixture
def held(cohort: Cohort) -> HeldOut:
    return cross_validate([("ridge", fit)], cohort, CHECK, TIMES)[0]


def test_a_model_with_more_knowledge_beats_the_stage(held: HeldOut, cohort: Cohort) -> None:
    found = compare_with_stage(held, cohort, CHECK, stage="stage", horizon=12.0)
    assert found.difference.lower > 0
    assert found.moved.events > 0.2
    assert found.moved.nonevents > 0.2
    assert found.total.lower > 0


def test_subgroups_are_split_at_values_or_the_median(held: HeldOut, cohort: Cohort) -> None:
    rows = subgroup_concordances(held, cohort, CHECK, ("stage", "noise"))
    assert [r[0][:7] for r in rows] == ["stage =", "stage =", "noise ≤", "noise >"]
    assert sum(r[1] for r in rows[:2]) == 300
    assert sum(r[2] for r in rows[:2]) == cohort.outcome.event.sum()
    for _, _, _, c in rows:
        assert c.lower < c.value < c.upper


def test_hiding_a_modality_with_signal_costs_concordance(cohort: Cohort) -> None:
    found = dict(subset_concordances(fit, cohort, CHECK))
    assert set(found) == {"a + b + c", "a + b", "a + c", "b + c", "a", "b", "c"}
    assert found["a + b"].value > found["a"].value > found["c"].value
    assert found["c"].value == pytest.approx(0.5, abs=0.08)


def test_subsets_are_listed_largest_first_and_bounded() -> None:
    assert modality_subsets(["x", "y"]) == [("x", "y"), ("x",), ("y",)]
    assert len(modality_subsets(list("abcdef"))) == 15
