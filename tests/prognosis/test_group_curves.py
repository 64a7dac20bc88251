"""Curves of the risk groups: those of the model itself, and only where it has them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.prognosis.group_curves import group_curves
from engine.prognosis.inputs import PatientInputs
from engine.prognosis.package import RiskModel
from engine.prognosis.prediction import OpenRiskPackage, open_risk_package, predict
from engine.values.prognosis import RiskPrediction

MODELS = Path(__file__).parents[2] / "models"


def test_groups_are_ordered_by_risk_at_every_time() -> None:
    opened = open_risk_package(MODELS / "resection_rfs" / "1.0.0")
    for model in opened.package.models:
        curves = opened.group_curves(model)
        assert [curve.name for curve in curves] == ["low", "intermediate", "high"]
        table = np.array([curve.survival for curve in curves])
        assert (np.diff(table, axis=0) < 0).all()
        assert (np.diff(table, axis=1) <= 0).all()


def test_a_patient_s_curve_lies_where_its_linear_predictor_puts_it(
    opened: OpenRiskPackage, patient: PatientInputs
) -> None:
    """The mean of a group is the mean of its members' own curves, here by the formula."""
    found = predict(opened, patient)
    assert isinstance(found, RiskPrediction)
    model = opened.package.models[0]
    low = model.groups[0]
    members = np.array([v for v in model.percentiles if v <= low.upper])
    baseline = np.log(np.array(found.survival))
    shift = np.exp(members - found.linear_predictor)[:, None]
    expected = np.exp(baseline * shift).mean(0)
    np.testing.assert_allclose(found.group_curves[0].survival, expected, atol=1e-6)
    assert len(found.package_sha256) == 64


def test_a_model_without_proportional_hazards_has_no_group_curves(
    opened: OpenRiskPackage,
) -> None:
    """Curves that cross belong to no Cox model."""

    def crossing(rows: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        risk = rows.sum(1)
        slope = 0.1 + 0.2 / (1 + np.exp(-risk))
        times = np.array(opened.package.times_months)
        survival = np.exp(-slope[:, None] * times / (1 + 0.01 * times * risk[:, None] ** 2))
        return {"linear_predictor": risk, "survival": survival}

    model: RiskModel = opened.package.models[0]
    assert group_curves(opened.package, model, crossing) == ()


def test_a_model_that_ignores_its_predictors_has_no_group_curves(
    opened: OpenRiskPackage,
) -> None:
    def same(rows: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        times = np.array(opened.package.times_months)
        survival = np.tile(np.exp(-0.01 * times), (len(rows), 1))
        return {"linear_predictor": np.zeros(len(rows)), "survival": survival}

    assert group_curves(opened.package, opened.package.models[0], same) == ()


@pytest.mark.parametrize("name", ["resection_rfs", "resection_os", "dynamic_os"])
def test_every_embedded_package_has_group_curves(name: str) -> None:
    opened = open_risk_package(MODELS / name / "1.0.0")
    assert all(opened.group_curves(model) for model in opened.package.models)
