"""Contributions add up, and a fused model's are those of its bases."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine.training.cohort import Cohort
from engine.training.contributions import contribution_method, explain
from engine.training.fusion import RULES, fit_fused, without_modality
from engine.training.recipe import PreparationSpec, StrategySpec
from engine.training.strategies import fit_once

MODALITIES = ["ct", "ct", "rna", "rna"]
SETTINGS = {"forest": {"trees": 12}, "boosting": {"trees": 25, "depth": 2}}


@pytest.fixture
def cohort(planted: Callable[..., Cohort]) -> Cohort:
    made = planted(160, [0.8, 0.0, 0.6, -0.4], seed=4, modalities=MODALITIES)
    values = made.values.copy()
    values[np.random.default_rng(1).random(values.shape) < 0.1] = np.nan
    return replace(made, values=values)


def spec(model: str, *modalities: str, **preparation: object) -> StrategySpec:
    return StrategySpec(
        name=model + "".join(modalities),
        model=model,
        preparation=PreparationSpec(modalities=modalities, **preparation),
        settings=dict(SETTINGS.get(model, {})),
    )


@pytest.mark.parametrize("model", ["ridge", "points", "forest", "boosting", "cox_net", "path_tree"])
def test_contributions_and_base_are_the_linear_predictor(cohort: Cohort, model: str) -> None:
    fitted = fit_once(spec(model, missing="indicator"), cohort)
    found = explain(fitted, cohort.values)
    assert found is not None
    total = found.base + found.contributions.sum(axis=1)
    assert np.abs(total - fitted.risk(cohort.values)).max() <= 1e-9


def test_components_of_a_linear_model_are_traced_back_to_the_predictors(cohort: Cohort) -> None:
    fitted = fit_once(spec("ridge", components=2), cohort)
    found = explain(fitted, cohort.values)
    assert found is not None
    assert found.contributions.sum(axis=1) == pytest.approx(fitted.risk(cohort.values))


@pytest.mark.parametrize("rule", [r for r in RULES if r != "vote"])
def test_a_fused_models_contributions_add_up_for_every_subset(cohort: Cohort, rule: str) -> None:
    bases = (spec("ridge", "ct"), spec("boosting", "rna"))
    fused = StrategySpec(
        name="f", model="late_fusion", preparation=PreparationSpec(), settings={"rule": rule}
    )
    model = fit_fused(fused, bases, cohort, inner_folds=3, seed=0)
    for shown in (cohort, without_modality(cohort, "rna"), without_modality(cohort, "ct")):
        found = explain(model, shown.values)
        assert found is not None
        total = found.base + found.contributions.sum(axis=1)
        assert np.abs(total - model.risk(shown.values)).max() <= 1e-9
    hidden = explain(model, without_modality(cohort, "rna").values)
    assert hidden is not None
    assert (hidden.contributions[:, 2:] == 0.0).all()


def test_what_cannot_be_split_is_said_so(cohort: Cohort) -> None:
    vote = StrategySpec(
        name="f", model="late_fusion", preparation=PreparationSpec(), settings={"rule": "vote"}
    )
    bases = (spec("ridge", "ct"), spec("ridge", "rna"))
    voting = fit_fused(vote, bases, cohort, inner_folds=3, seed=0)
    rotated = fit_once(spec("forest", components=2), cohort)
    for model in (voting, rotated, fit_once(spec("trajectory_classes"), cohort)):
        assert contribution_method(model) == ""
        assert explain(model, cohort.values) is None
