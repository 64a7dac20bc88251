"""A written package of trees and fusions serves what was fitted, patient by patient."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import ModelPackageError
from engine.prognosis.inputs import PatientInputs
from engine.prognosis.prediction import OpenRiskPackage, open_risk_package, predict
from engine.training.cohort import Cohort
from engine.training.packaged_models import PackagedModel, fit_packaged_models
from engine.training.packaging import write_package
from engine.training.recipe import parse_recipe
from engine.values.prognosis import Refusal, RiskPrediction

TIMES = np.array([6.0, 12.0, 24.0])
NAMES = ["x0", "x1", "x2", "x3"]
Written = tuple[OpenRiskPackage, tuple[PackagedModel, ...], Cohort]


def gappy(planted: Callable[..., Cohort]) -> Cohort:
    made = planted(150, [0.8, 0.0, 0.6, -0.4], seed=4, modalities=["ct", "ct", "stage", "stage"])
    values = made.values.copy()
    values[np.random.default_rng(1).random(values.shape) < 0.1] = np.nan
    return replace(made, values=values)


@pytest.fixture(scope="module", params=["trees", "boosted", "fused", "attention"])
def written(
    request: pytest.FixtureRequest,
    planted: Callable[..., Cohort],
    tmp_path_factory: pytest.TempPathFactory,
) -> Written:
    """One package per strategy; one value of any predictor is enough."""
    cohort = gappy(planted)
    prepared = {m: {"missing": "mean", "modalities": [m]} for m in ("ct", "stage")}
    recipe = parse_recipe(
        {
            "format": 1, "name": "test_risk", "title": "Test", "citation": "none", "data": "real",
            "cohort": {"table": "none.csv", "id": "patient"},
            "outcome": {"name": "Survival", "short": "OS", "time": "t", "event": "e",
                        "horizons_months": [12]},
            "predictor": [
                {"name": n, "column": n, "modality": "ct" if k < 2 else "stage"}
                for k, n in enumerate(NAMES)
            ],
            "strategy": [
                {"name": "ct", "model": "ridge", "preparation": prepared["ct"]},
                {"name": "stage", "model": "boosting", "preparation": prepared["stage"],
                 "settings": {"trees": 20}},
                {"name": "trees", "model": "forest", "settings": {"trees": 20}},
                {"name": "boosted", "model": "boosting", "settings": {"trees": 30, "depth": 2}},
                {"name": "fused", "model": "late_fusion", "bases": ["ct", "stage"],
                 "settings": {"rule": "weighted"}},
                {"name": "attention", "model": "gated_attention", "settings": {"steps": 20}},
            ],
            "validation": {"folds": 3, "repeats": 1, "inner_folds": 2, "bootstrap": 20},
            "export": {
                "name": "test_risk", "version": "1.2.3", "strategy": request.param,
                "intended_use": "Tests.", "cohort": "synthetic", "limits": ["Synthetic."],
                "models": [{"name": "all", "predictors": NAMES, "required": []}],
            },
        },
        origin="test",
    )  # fmt: skip
    models = fit_packaged_models(recipe, cohort, TIMES)
    folder = write_package(recipe, models, TIMES, tmp_path_factory.mktemp("packages"))
    return open_risk_package(folder), models, cohort


def test_every_subset_of_values_is_served_as_fitted(written: Written) -> None:
    """Parity ≤ 1e-6 for all fifteen subsets of four predictors."""
    opened, (model,), cohort = written
    for mask in range(1, 16):
        shown = np.array([bool(mask >> k & 1) for k in range(4)])
        values = np.where(shown, cohort.values, np.nan)
        found = opened.run(opened.package.models[0], values)
        assert np.abs(found["linear_predictor"] - model.fitted.risk(values)).max() <= 1e-6
        assert np.abs(found["survival"] - model.fitted.survival(values, TIMES)).max() <= 1e-6


def test_a_patient_gets_contributions_bounds_and_a_group(written: Written) -> None:
    opened, _, _ = written
    patient = PatientInputs(measurements={"x0": 0.7, "x3": -0.2})
    found = predict(opened, patient)
    assert isinstance(found, RiskPrediction)
    bounds = [b.months for b in found.lower_bounds]
    assert bounds == sorted(bounds, reverse=True)
    assert "outlived their 90 % bound in" in found.lower_bound
    assert found.risk_group in ("low", "intermediate", "high")
    explained = opened.package.models[0].explanation
    assert (explained is None) == (found.contributions == ())
    if found.contributions:
        total = found.contribution_base + sum(c.effect for c in found.contributions)
        assert total == pytest.approx(found.linear_predictor, abs=1e-6)
        assert "TreeSHAP" in found.contribution_method


def test_a_patient_without_any_value_is_refused_and_told_what_would_do(written: Written) -> None:
    opened, _, _ = written
    found = predict(opened, PatientInputs())
    assert isinstance(found, Refusal)
    assert "any one of x0 (not measured), x1 (not measured)" in found.reason


def test_a_changed_explanation_graph_is_noticed(written: Written) -> None:
    """Every graph of the package is bound by its checksum."""
    opened, _, _ = written
    for name, _ in opened.package.models[0].files:
        path = opened.package.folder / name
        original = path.read_bytes()
        path.write_bytes(original + b" ")
        with pytest.raises(ModelPackageError, match="was changed"):
            open_risk_package(opened.package.folder)
        path.write_bytes(original)
