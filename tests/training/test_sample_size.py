"""Minimum sample size and optimism."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.training.cohort import Cohort
from engine.training.optimism import bootstrap_optimism
from engine.training.outcome import Outcome
from engine.training.recipe import PreparationSpec, StrategySpec
from engine.training.sample_size import from_rates, minimum_sample_size


def test_the_first_criterion_gives_the_published_example() -> None:
    """Riley et al. (doi:10.1002/sim.7992): 30 parameters, R² 0.051 → 5,143 patients."""
    size = from_rates(
        rate_per_year=0.065,
        follow_up_years=2.07,
        horizon_years=2.0,
        parameters=30,
        cox_snell=0.051,
    )
    assert size.shrinkage == 5143
    assert size.needed == 5143


def test_more_parameters_need_more_patients() -> None:
    outcome = Outcome(np.full(100, 24.0), np.arange(100) < 40)
    few = minimum_sample_size(outcome, parameters=5, horizon=24.0)
    many = minimum_sample_size(outcome, parameters=20, horizon=24.0)
    assert many.shrinkage == pytest.approx(4 * few.shrinkage, rel=0.01)


def test_overfitting_is_found_by_the_bootstrap(planted: Callable[..., Cohort]) -> None:
    """Twenty noise predictors on 80 patients: the apparent C is corrected to about 0.5."""
    cohort = planted(80, [0.0] * 20, seed=6)
    spec = StrategySpec(
        name="r", model="ridge", preparation=PreparationSpec(), settings={"ridge": 0.1}
    )
    found = bootstrap_optimism(spec, cohort, resamples=15, inner_folds=2, seed=0)
    assert found.apparent > 0.6
    assert found.corrected == pytest.approx(0.5, abs=0.08)
