"""Recalibration per center finds the planted shift and slope."""

import numpy as np
import pytest

from engine.training.outcome import Outcome
from engine.training.recalibration import calibrate_centers, recalibrate

HORIZON = 10.0


def center(patients: int, *, shift: float, slope: float, seed: int) -> tuple[np.ndarray, Outcome]:
    """Predicted survival at the horizon, and times whose log hazard is shift + slope · x."""
    random = np.random.default_rng(seed)
    x = random.normal(size=patients)
    time = random.exponential(15.0 / np.exp(shift + slope * x))
    end = random.uniform(8, 40, patients)
    return np.exp(-np.exp(x) * HORIZON / 15.0), Outcome(np.minimum(time, end), time <= end)


def test_planted_shift_and_slope_are_found_and_undone() -> None:
    survival, outcome = center(2500, shift=0.5, slope=0.6, seed=1)
    slope, shift, changed = recalibrate(survival, outcome, HORIZON)
    assert slope == pytest.approx(0.6, abs=0.06)
    assert shift == pytest.approx(0.5, abs=0.1)
    truth = np.exp(-np.exp(0.5) * -(np.log(survival) ** 1.0))
    assert np.corrcoef(changed, truth)[0, 1] > 0.95
    found = calibrate_centers(survival, outcome, np.full(2500, "a"), HORIZON)[0]
    assert found.ici > 0.08
    assert found.ici_recalibrated < 0.02


def test_a_calibrated_center_needs_no_change() -> None:
    survival, outcome = center(2500, shift=0.0, slope=1.0, seed=2)
    found = calibrate_centers(survival, outcome, np.full(2500, "a"), HORIZON)[0]
    assert found.slope == pytest.approx(1.0, abs=0.07)
    assert found.intercept == pytest.approx(0.0, abs=0.08)
    assert found.ici == pytest.approx(found.ici_recalibrated, abs=0.02)


def test_each_center_is_judged_apart_and_small_ones_are_named() -> None:
    big, first = center(300, shift=0.0, slope=1.0, seed=3)
    small, second = center(12, shift=0.0, slope=1.0, seed=4)
    names = np.array(["a"] * 300 + ["b"] * 12)
    outcome = Outcome(
        np.concatenate((first.time, second.time)), np.concatenate((first.event, second.event))
    )
    a, b = calibrate_centers(np.concatenate((big, small)), outcome, names, HORIZON)
    assert (a.center, a.patients, a.remark) == ("a", 300, "")
    assert (b.patients, b.remark) == (12, "needs 20 patients and 10 events by then")


def test_a_center_with_short_follow_up_is_refused_with_its_safe_horizon() -> None:
    survival, outcome = center(200, shift=1.0, slope=1.0, seed=5)
    cut = outcome.censored_at(6.0)
    found = calibrate_centers(survival, cut, np.full(200, "a"), HORIZON)[0]
    assert "largest safe horizon 6 months" in found.remark
