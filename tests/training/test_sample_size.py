"""Minimum sample size."""

import numpy as np
import pytest

from engine.training.outcome import Outcome
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
