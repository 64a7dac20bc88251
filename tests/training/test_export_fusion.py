"""Fused models as one ONNX graph: parity for every subset of modalities."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.inference.session import open_session
from engine.training.cohort import Cohort
from engine.training.export_fusion import export_fused
from engine.training.feature_fusion import KINDS, FeatureFusedModel, fit_feature_fused
from engine.training.fusion import RULES, FusedModel, fit_fused, without_modality
from engine.training.recipe import PreparationSpec, RecipeError, StrategySpec

TIMES = np.array([6.0, 18.0])
MODALITIES = ["ct", "ct", "rna", "rna", "rna"]


@pytest.fixture
def patchy(planted: Callable[..., Cohort]) -> Cohort:
    """Two modalities, each missing in a fifth of the patients, and single gaps."""
    cohort = planted(200, [0.8, 0.0, 0.6, -0.4, 0.0], seed=4, modalities=MODALITIES)
    random = np.random.default_rng(8)
    values = cohort.values.copy()
    values[random.random(values.shape) < 0.05] = np.nan
    values[np.ix_(random.random(200) < 0.2, [0, 1])] = np.nan
    values[np.ix_(random.random(200) < 0.2, [2, 3, 4])] = np.nan
    return replace(cohort, values=values)


def spec(model: str, *modalities: str, **settings: object) -> StrategySpec:
    return StrategySpec(
        name=model + "".join(modalities),
        model=model,
        preparation=PreparationSpec(missing="mean", modalities=modalities),
        settings=dict(settings),
    )


def served(model: FusedModel | FeatureFusedModel, values: np.ndarray, folder: Path) -> np.ndarray:
    path = folder / "fused.onnx"
    path.write_bytes(export_fused(model, TIMES, predictors=5).SerializeToString())
    observed = np.isfinite(values)
    feeds = {"values": np.where(observed, values, 0.0), "observed": observed}
    found = open_session(path, device="cpu", threads=1).run_named(feeds)
    return np.column_stack((found["linear_predictor"], found["survival"]))


def expected(model: FusedModel | FeatureFusedModel, values: np.ndarray) -> np.ndarray:
    return np.column_stack((model.risk(values), model.survival(values, TIMES)))


@pytest.mark.parametrize("rule", RULES)
def test_decision_level_fusion_has_parity(patchy: Cohort, rule: str, tmp_path: Path) -> None:
    bases = (spec("ridge", "ct"), spec("forest", "rna", trees=5))
    model = fit_fused(spec("late_fusion", rule=rule), bases, patchy, inner_folds=3, seed=0)
    for values in (patchy.values, np.full((3, 5), np.nan)):
        difference = served(model, values, tmp_path) - expected(model, values)
        assert np.abs(difference).max() <= 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_feature_level_fusion_has_parity(patchy: Cohort, kind: str, tmp_path: Path) -> None:
    model = fit_feature_fused(spec(kind, units=2, steps=30), patchy)
    for values in (patchy.values, np.full((3, 5), np.nan)):
        difference = served(model, values, tmp_path) - expected(model, values)
        assert np.abs(difference).max() <= 1e-6


def test_available_cases_use_what_is_there(patchy: Cohort) -> None:
    """Without a modality the fused risk follows the other base alone."""
    bases = (spec("ridge", "ct"), spec("ridge", "rna"))
    model = fit_fused(spec("late_fusion", rule="average"), bases, patchy, inner_folds=3, seed=0)
    only = without_modality(patchy, "rna").values[np.isfinite(patchy.values[:, 0])]
    order = np.argsort(model.risk(only))
    assert (np.argsort(model.bases[0].risk(only)) == order).all()


def test_unknown_rules_and_single_modalities_are_refused(patchy: Cohort) -> None:
    with pytest.raises(RecipeError, match="rule must be one of"):
        fit_fused(
            spec("late_fusion", rule="magic"), (spec("ridge"),), patchy, inner_folds=3, seed=0
        )
    with pytest.raises(RecipeError, match="two modalities or more"):
        fit_feature_fused(spec("gated_attention", "ct"), patchy)
