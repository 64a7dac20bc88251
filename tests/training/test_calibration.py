"""Calibration: what is right must look right, what is bent must look bent."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.training.calibration import judge_calibration, spline_basis
from engine.training.cohort import Cohort
from engine.training.outcome import HorizonError

EFFECTS = [0.8, -0.5]
HORIZON = 12.0


@pytest.fixture
def large(planted: Callable[..., Cohort]) -> Cohort:
    return planted(4000, EFFECTS, seed=11)


def true_survival(cohort: Cohort, *, stretch: float = 1.0, factor: float = 1.0) -> np.ndarray:
    log_hazard = stretch * (cohort.values @ EFFECTS)
    return np.exp(-factor * HORIZON / 20.0 * np.exp(log_hazard))


def test_the_true_model_is_calibrated(large: Cohort) -> None:
    found = judge_calibration(true_survival(large), large.outcome, HORIZON)
    assert found.ici < 0.02
    assert found.e50 <= found.e90
    assert found.slope == pytest.approx(1.0, abs=0.07)
    assert found.intercept == pytest.approx(0.0, abs=0.06)
    assert found.observed_risk == pytest.approx(found.mean_predicted_risk, abs=0.02)


def test_too_extreme_predictions_have_a_slope_below_one(large: Cohort) -> None:
    """Log hazards stretched by 2 have slope 1/2."""
    found = judge_calibration(true_survival(large, stretch=2.0), large.outcome, HORIZON)
    assert found.slope == pytest.approx(0.5, abs=0.05)
    assert found.ici > 0.04


def test_doubled_hazards_have_the_intercept_minus_log_two(large: Cohort) -> None:
    found = judge_calibration(true_survival(large, factor=2.0), large.outcome, HORIZON)
    assert found.intercept == pytest.approx(-np.log(2), abs=0.1)
    assert found.slope == pytest.approx(1.0, abs=0.07)
    assert found.mean_predicted_risk > found.observed_risk


def test_a_constant_prediction_has_no_slope(large: Cohort) -> None:
    survival = np.full(len(large), 0.6)
    found = judge_calibration(survival, large.outcome, HORIZON)
    assert np.isnan(found.slope)
    assert found.ici == pytest.approx(abs(found.observed_risk - 0.4), abs=1e-9)


def test_the_groups_cover_everybody(large: Cohort) -> None:
    found = judge_calibration(true_survival(large), large.outcome, HORIZON)
    assert sum(size for _, _, size in found.groups) == len(large)
    assert all(abs(p - o) < 0.06 for p, o, _ in found.groups)


def test_a_horizon_beyond_follow_up_is_refused(large: Cohort) -> None:
    with pytest.raises(HorizonError):
        judge_calibration(true_survival(large), large.outcome, 200.0)


def test_the_spline_is_linear_outside_its_knots() -> None:
    """Restricted cubic spline: second differences vanish beyond the outer knots."""
    values = np.linspace(0, 1, 1001)
    column = spline_basis(values, knots=3)[:, 1]
    tail = np.diff(column[values > 0.92], n=2)
    assert np.abs(tail).max() < 1e-12
    assert np.abs(np.diff(column[(values > 0.2) & (values < 0.8)], n=2)).max() > 1e-8
