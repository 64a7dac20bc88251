"""Conformal lower bounds keep their promise on patients whose true times are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.training.cohort import Cohort, Column
from engine.training.conformal import (
    calibrate,
    censoring_weights,
    covered_share,
    lower_bounds,
    nested_coverage,
    survival_at,
)
from engine.training.outcome import Outcome
from engine.training.recipe import PreparationSpec, StrategySpec, ValidationSpec
from engine.training.strategies import fit_once
from engine.training.validation import Fit, FittedStrategy, HeldOut, cross_validate

TIMES = np.arange(1.0, 41.0)
CHECK = ValidationSpec(folds=5, repeats=1, inner_folds=4, seed=2, bootstrap=50)
RIDGE = StrategySpec(name="ridge", model="ridge", preparation=PreparationSpec())


def patients(count: int, seed: int, *, informative: float = 0.0) -> tuple[Cohort, np.ndarray]:
    """A cohort and the true times; censoring hastens with the risk when informative."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, 3))
    log_hazard = values @ [0.9, -0.5, 0.0]
    time = random.exponential(20.0 * np.exp(-log_hazard))
    end = random.exponential(40.0 * np.exp(-informative * log_hazard))
    cohort = Cohort(
        name="truth",
        columns=tuple(Column(name=f"x{k}", modality="m") for k in range(3)),
        values=values,
        outcome=Outcome(np.minimum(time, end), time <= end),
        patients=np.arange(count),
        strata=np.zeros(count, np.int64),
    )
    return cohort, time


def fit(train: Cohort, _seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
    return fit_once(RIDGE, train), {}


@dataclass
class Boastful:
    """A model whose survival is far too high: 1 - (1 - S)³."""

    inner: FittedStrategy

    def risk(self, values: np.ndarray) -> np.ndarray:
        return self.inner.risk(values)

    def survival(self, values: np.ndarray, times: np.ndarray) -> np.ndarray:
        return 1.0 - (1.0 - self.inner.survival(values, times)) ** 3


def boast(train: Cohort, seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
    return Boastful(fit(train, seed)[0]), {}


@pytest.mark.parametrize("strategy", [fit, boast])
@pytest.mark.parametrize("informative", [0.0, 0.7])
def test_new_patients_outlive_their_bound_as_often_as_promised(
    strategy: Fit, informative: float
) -> None:
    """True times of 5,000 new patients; a wrong model and censoring by risk included."""
    cohort, _ = patients(500, 1, informative=informative)
    held = cross_validate([("s", strategy)], cohort, CHECK, TIMES)[0]
    new, truth = patients(5000, 2)
    curves = strategy(cohort, 0)[0].survival(new.values, TIMES)
    for level in calibrate(held):
        outlived = float((truth >= lower_bounds(curves, TIMES, level.survival)).mean())
        assert level.confidence - 0.03 <= outlived <= level.confidence + 0.05


def test_an_uncalibrated_bound_of_a_wrong_model_breaks_the_promise() -> None:
    """The curve's own 90 % level is what calibration replaces."""
    cohort, _ = patients(500, 1)
    new, truth = patients(5000, 2)
    curves = boast(cohort, 0)[0].survival(new.values, TIMES)
    assert float((truth >= lower_bounds(curves, TIMES, 0.9)).mean()) < 0.7


def test_coverage_measured_under_censoring_agrees_with_the_truth() -> None:
    cohort, time = patients(3000, 4, informative=0.5)
    bounds = np.full(3000, 8.0)
    risk = cohort.values @ [0.9, -0.5, 0.0]
    found = covered_share(bounds, risk, cohort.outcome)
    assert found == pytest.approx(float((time >= 8.0).mean()), abs=0.02)
    assert censoring_weights(risk, cohort.outcome).min() >= 1.0


def test_nested_coverage_of_held_out_patients_contains_the_promise() -> None:
    cohort, _ = patients(300, 6)
    found = nested_coverage(fit, cohort, CHECK, TIMES, confidence=0.9)
    assert found.lower <= 0.93
    assert found.upper >= 0.9
    assert 0.84 <= found.value <= 0.97


def test_bounds_are_read_off_the_curve() -> None:
    """Straight lines between the grid's times; the grid's end where the level is not met."""
    curves = np.array([[0.8, 0.6], [0.99, 0.95]])
    times = np.array([10.0, 20.0])
    assert lower_bounds(curves, times, 0.7).tolist() == pytest.approx([15.0, 20.0])
    assert lower_bounds(curves, times, 0.9).tolist() == pytest.approx([5.0, 20.0])
    assert lower_bounds(curves, times, 1.0).tolist() == [0.0, 0.0]
    assert survival_at(curves, times, np.array([15.0, 5.0])) == pytest.approx([0.7, 0.995])


def test_too_few_events_give_the_safest_level_that_was_seen() -> None:
    """With nine patients no 95 % promise can be kept beyond the earliest failure's level."""
    cohort, _ = patients(9, 3)
    held = HeldOut(
        name="s",
        outcome=cohort.outcome,
        times=TIMES,
        risk=np.zeros((1, 9)),
        survival=np.exp(-TIMES / 20.0)[None, None, :].repeat(9, axis=1),
        groups=np.zeros((1, 9), np.int64),
    )
    level = calibrate(held, (0.95,))[0]
    first = cohort.outcome.time[cohort.outcome.event].min()
    expected = survival_at(held.survival[0][:1], TIMES, np.array([first]))
    assert level.survival == pytest.approx(float(expected[0]))
    with pytest.raises(InputError, match=r"inside 0\.\.1"):
        calibrate(held, (1.0,))
