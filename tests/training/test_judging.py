"""Judging refuses horizons it cannot judge, by name."""

from dataclasses import replace

import numpy as np
import pytest

from engine.training.judging import Predictions, judge
from engine.training.outcome import HorizonError, Outcome
from engine.training.truth import SurvivalTruth

TIMES = np.array([6.0, 12.0, 24.0])


@pytest.fixture
def late() -> Predictions:
    """Nobody fails before month 8."""
    random = np.random.default_rng(0)
    risk = random.normal(size=120)
    time = 8.0 + random.exponential(15.0 / np.exp(risk))
    outcome = Outcome(np.minimum(time, 40.0), time <= 40.0)
    return Predictions(
        name="m",
        risk=risk[None],
        survival=np.exp(-np.exp(risk)[:, None] * TIMES / 30.0),
        times=TIMES,
        truth=SurvivalTruth(outcome),
        groups=np.zeros((1, 120), np.int64),
        patients=np.arange(120),
    )


def test_a_horizon_before_the_first_event_is_refused_and_the_others_are_judged(
    late: Predictions,
) -> None:
    found = judge(late, (6.0, 12.0, 24.0, 600.0), resamples=10)
    assert [h for h, _ in found.auc] == [12.0, 24.0]
    assert found.refused_horizons.startswith("6, 600 months refused")
    assert "largest safe horizon" in found.refused_horizons


def test_without_any_horizon_left_the_reason_is_given(late: Predictions) -> None:
    with pytest.raises(HorizonError, match="Nobody has had the event by 6 months"):
        judge(late, (6.0,), resamples=5)
    with pytest.raises(HorizonError, match="largest safe"):
        judge(late, (600.0,), resamples=5)


def test_every_figure_has_an_interval_around_it(late: Predictions) -> None:
    found = judge(late, (12.0, 24.0), resamples=20)
    for interval in (found.harrell, found.uno, found.skill, *(v for _, v in found.auc)):
        assert interval.lower <= interval.value <= interval.upper
    for calibration, own in zip(found.calibrations, found.calibration_intervals, strict=True):
        assert own.ici.value == calibration.ici
        for interval in (own.ici, own.e50, own.e90, own.slope, own.intercept):
            assert interval.lower <= interval.value <= interval.upper
    for (_, curve), (low, high) in zip(found.decisions, found.decision_bands, strict=True):
        assert (low <= high).all()
        assert ((low <= curve.model + 0.05) & (curve.model <= high + 0.05)).all()


def test_the_same_seed_gives_the_same_intervals(late: Predictions) -> None:
    first, second = (judge(replace(late), (12.0,), resamples=10, seed=4) for _ in range(2))
    assert first.harrell == second.harrell
    assert first.calibration_intervals == second.calibration_intervals
