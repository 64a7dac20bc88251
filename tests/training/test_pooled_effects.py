"""Pooled effects: equal to one fit without gaps, wider with them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine.training.cohort import Cohort
from engine.training.cox import fit_cox
from engine.training.pooled_effects import interval, pooled_effects
from engine.training.preparation import fit_preparation
from engine.training.recipe import PreparationSpec

MULTIPLE = PreparationSpec(missing="multiple")


def test_without_gaps_pooling_changes_nothing(planted: Callable[..., Cohort]) -> None:
    cohort = planted(200, [0.6, -0.4], seed=1)
    preparation = fit_preparation(MULTIPLE, cohort)
    golden = fit_cox(preparation.apply(cohort.values), cohort.outcome, ridge=1.0)
    pool = pooled_effects(preparation, cohort, ridge=1.0, imputations=3, seed=0)
    assert pool.estimate == pytest.approx(golden.coefficients)
    assert pool.variance == pytest.approx(np.diag(np.linalg.inv(golden.information)))
    assert pool.fraction == pytest.approx([0.0, 0.0])


def test_gaps_widen_the_interval_of_their_own_predictor(planted: Callable[..., Cohort]) -> None:
    whole = planted(400, [0.6, -0.4], seed=2)
    values = whole.values.copy()
    values[np.random.default_rng(0).random(400) < 0.4, 0] = np.nan
    cohort = replace(whole, values=values)
    preparation = fit_preparation(MULTIPLE, cohort)
    pool = pooled_effects(preparation, cohort, ridge=1e-3, imputations=10, seed=0)
    low, high = interval(pool)
    effect = 0.6 * preparation.scale[0]
    assert low[0] < effect < high[0]
    assert pool.fraction[0] > 0.15
    full = fit_preparation(MULTIPLE, whole)
    known = pooled_effects(full, whole, ridge=1e-3, imputations=2, seed=0)
    assert pool.variance[0] / preparation.scale[0] ** 2 > 1.2 * (
        known.variance[0] / full.scale[0] ** 2
    )
