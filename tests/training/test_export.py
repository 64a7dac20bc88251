"""What was fitted is what is served: parity of every model with its ONNX graph."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from engine.inference.session import open_session
from engine.training.cohort import Cohort, Column
from engine.training.export import export_model, neighborhood
from engine.training.preparation import fit_preparation
from engine.training.recipe import PreparationSpec, RecipeError, StrategySpec
from engine.training.strategies import COMPETING_MODELS, MODELS, PreparedModel, fit_once

TIMES = np.array([3.0, 12.0, 24.0, 36.0])
SETTINGS: dict[str, dict[str, Any]] = {
    "forest": {"trees": 20},
    "lasso_forest": {"trees": 20},
    "boosting": {"trees": 30, "depth": 2},
    "cox_net": {"units": 3, "decay": 0.01},
}


@pytest.fixture
def gappy(planted: Callable[..., Cohort]) -> Cohort:
    """Missing values, a skewed column for the logarithm, and rows that miss everything."""
    cohort = planted(160, [0.7, -0.5, 0.3, 0.0], seed=2)
    values = cohort.values.copy()
    values[:, 2] = np.exp(3 * values[:, 2])
    values[np.random.default_rng(0).random(values.shape) < 0.15] = np.nan
    values[5] = np.nan
    columns = tuple(
        Column(name=c.name, modality=c.modality, transform="log10" if k == 2 else "identity")
        for k, c in enumerate(cohort.columns)
    )
    return replace(cohort, values=values, columns=columns)


def fitted(cohort: Cohort, model: str, spec: PreparationSpec) -> PreparedModel:
    preparation = fit_preparation(spec, cohort)
    x = preparation.apply(cohort.values)
    return PreparedModel(preparation, MODELS[model](x, cohort.outcome, **SETTINGS.get(model, {})))


def served(model: onnx.ModelProto, values: np.ndarray, folder: Path) -> dict[str, np.ndarray]:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    observed = np.isfinite(values)
    session = open_session(path, device="cpu", threads=1)
    return session.run_named({"values": np.where(observed, values, 0.0), "observed": observed})


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("missing", ["mean", "indicator", "chained"])
def test_the_graph_gives_what_the_estimator_gives(
    gappy: Cohort, name: str, missing: str, tmp_path: Path
) -> None:
    """Parity ≤ 1e-6 in risk and survival for every model, with missing values."""
    model = fitted(gappy, name, PreparationSpec(missing=missing))
    graph = export_model(model, TIMES, predictors=4)
    found = served(graph, gappy.values, tmp_path)
    assert np.abs(found["linear_predictor"] - model.risk(gappy.values)).max() <= 1e-6
    assert np.abs(found["survival"] - model.survival(gappy.values, TIMES)).max() <= 1e-6


@pytest.mark.parametrize("name", sorted(COMPETING_MODELS))
def test_models_of_competing_risks_have_parity(gappy: Cohort, name: str, tmp_path: Path) -> None:
    """A third of the censored patients had the competing event instead."""
    other = np.where(np.arange(160) % 3 == 0, 2, 0)
    cohort = replace(gappy, cause=np.where(gappy.outcome.event, 1, other))
    spec = StrategySpec(name=name, model=name, preparation=PreparationSpec(missing="mean"))
    model = fit_once(spec, cohort)
    found = served(export_model(model, TIMES, predictors=4), gappy.values, tmp_path)
    assert np.abs(found["linear_predictor"] - model.risk(gappy.values)).max() <= 1e-6
    assert np.abs(found["survival"] - model.survival(gappy.values, TIMES)).max() <= 1e-6
    with pytest.raises(RecipeError, match="names no competing event"):
        fit_once(spec, gappy)


def test_rotated_and_screened_preparations_have_parity(gappy: Cohort, tmp_path: Path) -> None:
    model = fitted(gappy, "ridge", PreparationSpec(missing="median", screen=3, components=2))
    graph = export_model(
        model, TIMES, predictors=4, near=neighborhood(model.preparation.apply(gappy.values))
    )
    found = served(graph, gappy.values, tmp_path)
    assert np.abs(found["survival"] - model.survival(gappy.values, TIMES)).max() <= 1e-6
    total = found["contributions"].sum(axis=1)
    assert np.abs(total - found["linear_predictor"]).max() <= 1e-9
    assert found["distance"].shape == (160,)


def test_contributions_of_indicators_count_for_their_predictor(
    gappy: Cohort, tmp_path: Path
) -> None:
    model = fitted(gappy, "ridge", PreparationSpec(missing="indicator"))
    found = served(export_model(model, TIMES, predictors=4), gappy.values, tmp_path)
    assert found["contributions"].sum(axis=1) == pytest.approx(found["linear_predictor"])


def test_distance_is_mahalanobis(gappy: Cohort, tmp_path: Path) -> None:
    model = fitted(gappy, "ridge", PreparationSpec(missing="mean"))
    near = neighborhood(model.preparation.apply(gappy.values))
    found = served(export_model(model, TIMES, predictors=4, near=near), gappy.values, tmp_path)
    x = model.preparation.apply(gappy.values)
    covariance = 0.9 * np.cov(x, rowvar=False) + 0.1 * np.eye(x.shape[1])
    off = x - x.mean(axis=0)
    golden = np.sqrt(np.einsum("ni,ij,nj->n", off, np.linalg.inv(covariance), off))
    assert found["distance"] == pytest.approx(golden, abs=1e-9)
