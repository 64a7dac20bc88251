"""The graph of contributions gives what the estimator's split gives."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from engine.errors import InputError
from engine.inference.session import open_session
from engine.training.cohort import Cohort
from engine.training.contributions import explain
from engine.training.export_contributions import export_explanation
from engine.training.fusion import fit_fused
from engine.training.recipe import PreparationSpec, StrategySpec
from engine.training.strategies import fit_once

MODALITIES = ["ct", "ct", "rna", "rna"]
SETTINGS = {"forest": {"trees": 12}, "boosting": {"trees": 25, "depth": 2}}


@pytest.fixture
def cohort(planted: Callable[..., Cohort]) -> Cohort:
    made = planted(160, [0.8, 0.0, 0.6, -0.4], seed=4, modalities=MODALITIES)
    values = made.values.copy()
    random = np.random.default_rng(1)
    values[random.random(values.shape) < 0.1] = np.nan
    values[np.ix_(random.random(160) < 0.2, [2, 3])] = np.nan
    return replace(made, values=values)


def spec(model: str, *modalities: str, missing: str = "mean") -> StrategySpec:
    return StrategySpec(
        name=model + "".join(modalities),
        model=model,
        preparation=PreparationSpec(modalities=modalities, missing=missing),
        settings=dict(SETTINGS.get(model, {})),
    )


def served(graph: onnx.ModelProto, values: np.ndarray, folder: Path) -> dict[str, np.ndarray]:
    path = folder / "explanation.onnx"
    path.write_bytes(graph.SerializeToString())
    observed = np.isfinite(values)
    feeds = {"values": np.where(observed, values, 0.0), "observed": observed}
    return open_session(path, device="cpu", threads=1).run_named(feeds)


@pytest.mark.parametrize("missing", ["mean", "indicator"])
@pytest.mark.parametrize("model", ["ridge", "forest", "lasso_forest", "boosting", "cox_net"])
def test_a_models_contributions_have_parity(
    cohort: Cohort, model: str, missing: str, tmp_path: Path
) -> None:
    fitted = fit_once(spec(model, missing=missing), cohort)
    expected = explain(fitted, cohort.values)
    assert expected is not None
    found = served(export_explanation(fitted, predictors=4), cohort.values, tmp_path)
    assert np.abs(found["contributions"] - expected.contributions).max() <= 1e-9
    assert np.abs(found["contribution_base"] - expected.base).max() <= 1e-9


@pytest.mark.parametrize("rule", ["average", "weighted", "stack", "nomogram"])
def test_a_fused_models_contributions_have_parity(
    cohort: Cohort, rule: str, tmp_path: Path
) -> None:
    fused = StrategySpec(
        name="f", model="late_fusion", preparation=PreparationSpec(), settings={"rule": rule}
    )
    bases = (spec("ridge", "ct"), spec("forest", "rna"))
    model = fit_fused(fused, bases, cohort, inner_folds=3, seed=0)
    for values in (cohort.values, np.full((2, 4), np.nan)):
        expected = explain(model, values)
        assert expected is not None
        found = served(export_explanation(model, predictors=4), values, tmp_path)
        assert np.abs(found["contributions"] - expected.contributions).max() <= 1e-9
        assert np.abs(found["contribution_base"] - expected.base).max() <= 1e-9


def test_a_model_that_cannot_be_split_is_refused(cohort: Cohort) -> None:
    with pytest.raises(InputError, match="no contributions to export"):
        export_explanation(fit_once(spec("trajectory_classes"), cohort), predictors=4)
