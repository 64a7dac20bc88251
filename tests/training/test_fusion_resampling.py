"""Bootstrap refits of a fusion: spread around the model, parity of the graph."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.inference.session import open_session
from engine.training.cohort import Cohort
from engine.training.export import Surroundings, neighborhood
from engine.training.export_fusion import export_fused
from engine.training.fusion import fit_fused
from engine.training.fusion_resampling import resample_fusion
from engine.training.preparation import fit_preparation
from engine.training.recipe import PreparationSpec, StrategySpec

TIMES = np.array([6.0, 18.0])


@pytest.fixture
def cohort(planted: Callable[..., Cohort]) -> Cohort:
    made = planted(200, [0.8, 0.0, 0.6, -0.4], seed=4, modalities=["ct", "ct", "rna", "rna"])
    values = made.values.copy()
    values[np.ix_(np.random.default_rng(8).random(200) < 0.2, [0, 1])] = np.nan
    return replace(made, values=values)


def spec(model: str, *modalities: str, **settings: object) -> StrategySpec:
    return StrategySpec(
        name=model + "".join(modalities),
        model=model,
        preparation=PreparationSpec(missing="mean", modalities=modalities),
        settings=dict(settings),
    )


@pytest.mark.parametrize("rule", ["average", "weighted", "stack", "nomogram"])
def test_refits_have_parity_and_lie_around_the_model(
    cohort: Cohort, rule: str, tmp_path: Path
) -> None:
    bases = (spec("ridge", "ct"), spec("ridge", "rna"))
    model = fit_fused(spec("late_fusion", rule=rule), bases, cohort, inner_folds=3, seed=0)
    found = resample_fusion(model, model.specs, cohort, TIMES, count=30, folds=3)
    assert found is not None
    preparation = fit_preparation(PreparationSpec(missing="mean"), cohort)
    around = Surroundings(
        preparation=preparation, near=neighborhood(preparation.apply(cohort.values))
    )
    path = tmp_path / "fused.onnx"
    graph = export_fused(model, TIMES, predictors=4, resamples=found, around=around)
    path.write_bytes(graph.SerializeToString())
    for values in (cohort.values, np.full((2, 4), np.nan)):
        observed = np.isfinite(values)
        feeds = {"values": np.where(observed, values, 0.0), "observed": observed}
        served = open_session(path, device="cpu", threads=1).run_named(feeds)
        expected = found.survival(model, values)
        assert np.abs(served["survival_samples"] - expected).max() <= 1e-9
        assert served["distance"] == pytest.approx(around.distance(values), abs=1e-9)
    middle = np.median(found.survival(model, cohort.values), axis=1)
    assert np.abs(middle - model.survival(cohort.values, TIMES)).mean() < 0.05


def test_trees_and_votes_have_no_such_refits(cohort: Cohort) -> None:
    bases = (spec("ridge", "ct"), spec("forest", "rna", trees=5))
    trees = fit_fused(spec("late_fusion", rule="stack"), bases, cohort, inner_folds=3, seed=0)
    assert resample_fusion(trees, trees.specs, cohort, TIMES, count=3, folds=3) is None
    bases = (spec("ridge", "ct"), spec("ridge", "rna"))
    votes = fit_fused(spec("late_fusion", rule="vote"), bases, cohort, inner_folds=3, seed=0)
    assert resample_fusion(votes, votes.specs, cohort, TIMES, count=3, folds=3) is None
