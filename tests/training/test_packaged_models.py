"""What a recipe packages: any strategy that has an ONNX form, with its rules for missing values."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.training.cohort import Cohort
from engine.training.export import Resamples
from engine.training.fusion_resampling import FusedResamples
from engine.training.packaged_models import fit_packaged_models, time_grid
from engine.training.recipe import Recipe, RecipeError, parse_recipe

TIMES = np.array([6.0, 12.0, 24.0])
NAMES = ["x0", "x1", "x2", "x3"]


@pytest.fixture
def cohort(planted: Callable[..., Cohort]) -> Cohort:
    made = planted(150, [0.8, 0.0, 0.6, -0.4], seed=4, modalities=["ct", "ct", "stage", "stage"])
    values = made.values.copy()
    values[np.random.default_rng(1).random(values.shape) < 0.1] = np.nan
    return replace(made, values=values)


def recipe(models: list[dict[str, Any]]) -> Recipe:
    prepared = {m: {"missing": "mean", "modalities": [m]} for m in ("ct", "stage")}
    fused = {"model": "late_fusion", "bases": ["ct", "stage"]}
    return parse_recipe(
        {
            "format": 1,
            "name": "test_risk",
            "title": "Test",
            "citation": "none",
            "data": "real",
            "cohort": {"table": "none.csv", "id": "patient"},
            "outcome": {
                "name": "Survival", "short": "OS", "time": "t", "event": "e",
                "horizons_months": [12],
            },
            "predictor": [
                {"name": n, "column": n, "modality": "ct" if k < 2 else "stage"}
                for k, n in enumerate(NAMES)
            ],
            "strategy": [
                {"name": "ct", "model": "ridge", "preparation": prepared["ct"]},
                {"name": "stage", "model": "ridge", "preparation": prepared["stage"]},
                {"name": "forest", "model": "forest", "settings": {"trees": 10}},
                {"name": "stacked", "settings": {"rule": "stack"}, **fused},
                {"name": "attention", "model": "gated_attention", "settings": {"steps": 20}},
                {"name": "updated", "model": "time_updated"},
            ],
            "validation": {"folds": 3, "repeats": 1, "inner_folds": 2, "bootstrap": 20},
            "export": {
                "name": "test_risk", "version": "1.2.3", "strategy": "ct", "resamples": 20,
                "intended_use": "Tests.", "cohort": "synthetic", "limits": ["Synthetic."],
                "models": models,
            },
        },
        origin="test",
    )  # fmt: skip


def test_each_model_may_have_its_own_strategy(cohort: Cohort) -> None:
    """Linear models and fusions of them get refits, the others conformal bounds only."""
    models = [
        {"name": "fused", "strategy": "stacked", "predictors": NAMES},
        {"name": "trees", "strategy": "forest", "predictors": NAMES},
        {"name": "attention", "strategy": "attention", "predictors": NAMES, "required": ["x0"]},
        {"name": "ct only", "predictors": NAMES[:2]},
    ]
    fused, trees, attention, linear = fit_packaged_models(recipe(models), cohort, TIMES)
    assert isinstance(fused.resamples, FusedResamples)
    assert isinstance(linear.resamples, Resamples)
    assert trees.resamples is None
    assert attention.resamples is None
    assert (fused.required, fused.any_of) == ((), tuple(NAMES))
    assert "left out of the fusion; inside a modality: mean" in fused.policy
    assert trees.required == tuple(NAMES)
    assert attention.required == ("x0",)
    assert linear.file == "ct_only.onnx"
    for model in (fused, trees, attention, linear):
        assert [level.confidence for level in model.levels] == [0.8, 0.9, 0.95]
        assert 0.7 < model.coverage.value <= 1.0


def test_what_cannot_be_packaged_is_refused_by_name(cohort: Cohort) -> None:
    with pytest.raises(RecipeError, match="no strategy 'magic' to export"):
        fit_packaged_models(
            recipe([{"name": "m", "strategy": "magic", "predictors": NAMES}]), cohort, TIMES
        )
    with pytest.raises(RecipeError, match="Unknown predictors height"):
        fit_packaged_models(recipe([{"name": "m", "predictors": ["height"]}]), cohort, TIMES)
    without = replace(recipe([]), export={"name": "x"})
    with pytest.raises(RecipeError, match="lacks version, strategy"):
        fit_packaged_models(without, cohort, TIMES)


def test_the_grid_ends_at_the_largest_safe_horizon(cohort: Cohort) -> None:
    grid = time_grid(cohort, step=3.0, limit=600.0)
    assert grid[0] == 3.0
    assert int((cohort.outcome.time >= grid[-1]).sum()) >= 10
    assert time_grid(cohort, step=3.0, limit=12.0).tolist() == [3.0, 6.0, 9.0, 12.0]
