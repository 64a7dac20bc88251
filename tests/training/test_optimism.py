"""Optimism bootstrap: large for a model that memorizes, small for one that does not."""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.training.cohort import Cohort
from engine.training.optimism import bootstrap_optimism
from engine.training.recipe import PreparationSpec, StrategySpec
from engine.training.strategies import fit_once
from engine.training.validation import FittedStrategy


def fitting(ridge: float) -> Callable[[Cohort, int], tuple[FittedStrategy, dict[str, Any]]]:
    spec = StrategySpec(
        name="r", model="ridge", preparation=PreparationSpec(), settings={"ridge": ridge}
    )
    return lambda train, _seed: (fit_once(spec, train), {})


def test_noise_is_seen_through(planted: Callable[..., Cohort]) -> None:
    """Thirty columns of noise: apparent C far above 0.5, corrected near it."""
    cohort = planted(120, [0.0] * 30, seed=2)
    found = bootstrap_optimism(fitting(0.1), cohort, resamples=15, seed=1)
    assert found.apparent > 0.65
    assert abs(found.corrected - 0.5) < 0.08


def test_a_strong_effect_loses_little(planted: Callable[..., Cohort]) -> None:
    cohort = planted(200, [1.0], seed=3)
    found = bootstrap_optimism(fitting(1.0), cohort, resamples=10, seed=1)
    assert abs(found.optimism) < 0.02
    assert found.corrected == found.apparent - found.optimism


def test_the_same_seed_gives_the_same_number(planted: Callable[..., Cohort]) -> None:
    cohort = planted(80, [0.5, 0.0])
    first, second = (
        bootstrap_optimism(fitting(1.0), cohort, resamples=3, seed=9) for _ in range(2)
    )
    assert first == second
    assert np.isfinite(first.corrected)
