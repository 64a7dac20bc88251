"""Chained equations and Rubin's rules."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import InputError
from engine.training.cohort import Cohort, Column
from engine.training.imputation import (
    complete_several,
    fit_chained,
    nelson_aalen,
    pool_by_rubin,
)
from engine.training.outcome import Outcome
from engine.training.recipe import PreparationSpec, RecipeError, StrategySpec
from engine.training.strategies import fit_once


def gappy(patients: int, seed: int) -> tuple[Cohort, np.ndarray]:
    """Three correlated predictors; x1 is missing more often where x0 is high."""
    random = np.random.default_rng(seed)
    x0 = random.normal(size=patients)
    x1 = 0.9 * x0 + 0.4 * random.normal(size=patients)
    whole = np.column_stack((x0, x1, random.normal(size=patients)))
    time = random.exponential(10.0 / np.exp(0.5 * x1))
    end = random.uniform(5, 40, patients)
    values = whole.copy()
    values[random.random(patients) < 1 / (1 + np.exp(-x0)), 1] = np.nan
    cohort = Cohort(
        name="gappy",
        columns=tuple(Column(name=f"x{k}", modality="m") for k in range(3)),
        values=values,
        outcome=Outcome(np.minimum(time, end), time <= end),
        patients=np.arange(patients),
        strata=np.zeros(patients, np.int64),
    )
    return cohort, whole


def test_equations_find_values_that_the_mean_cannot() -> None:
    cohort, whole = gappy(800, 1)
    observed = np.isfinite(cohort.values)
    filled = np.where(observed, cohort.values, np.nanmean(cohort.values, axis=0))
    found = fit_chained(filled, observed).complete(filled, observed)
    hidden = ~observed[:, 1]
    error = np.sqrt(((found - whole)[hidden, 1] ** 2).mean())
    assert error < 0.5 * np.sqrt(((filled - whole)[hidden, 1] ** 2).mean())
    assert (found[observed] == cohort.values[observed]).all()


def test_completions_differ_by_the_spread_that_is_missing() -> None:
    """Noise of the planted residual (0.4), not the same number every time."""
    cohort, _ = gappy(800, 2)
    observed = np.isfinite(cohort.values)
    filled = np.where(observed, cohort.values, 0.0)
    rounds = complete_several(filled, observed, cohort.outcome, times=8, seed=0)
    spread = np.std([r[~observed[:, 1], 1] for r in rounds], axis=0).mean()
    assert spread == pytest.approx(0.4, abs=0.12)
    again = complete_several(filled, observed, cohort.outcome, times=8, seed=0)
    assert all((a == b).all() for a, b in zip(rounds, again, strict=True))


@pytest.mark.parametrize("policy", ["multiple", "mean"])
def test_pooled_coefficients_recover_what_filling_in_the_mean_loses(policy: str) -> None:
    """Planted log hazard ratio 0.5 per unit of x1, 0 for x0 beside it."""
    cohort, _ = gappy(1500, 3)
    spec = StrategySpec(
        name="ridge",
        model="ridge",
        preparation=PreparationSpec(missing=policy, imputations=6),
        settings={"ridge": 1e-3},
    )
    fit = fit_once(spec, cohort)
    effect = fit.estimator.coefficients / fit.preparation.scale
    if policy == "multiple":
        assert effect[:2] == pytest.approx([0.0, 0.5], abs=0.12)
    else:
        assert abs(effect[0]) > 0.15


def test_trees_cannot_be_pooled_but_can_use_the_equations() -> None:
    cohort, _ = gappy(120, 4)
    spec = StrategySpec(
        name="forest",
        model="forest",
        preparation=PreparationSpec(missing="multiple", imputations=2),
        settings={"trees": 3},
    )
    with pytest.raises(RecipeError, match="pools linear models only"):
        fit_once(spec, cohort)
    fit_once(replace(spec, preparation=PreparationSpec(missing="chained")), cohort)


def test_rubins_rules_by_hand() -> None:
    """Estimates 1, 2, 3 with variance 0.5: within 0.5, between 1, total 0.5 + 4/3."""
    pool = pool_by_rubin(np.array([[1.0], [2.0], [3.0]]), np.full((3, 1), 0.5))
    assert pool.estimate[0] == 2.0
    assert pool.variance[0] == pytest.approx(0.5 + 4 / 3)
    assert pool.fraction[0] == pytest.approx((4 / 3) / (0.5 + 4 / 3))
    assert pool.degrees[0] == pytest.approx(2 * (1 + 0.5 / (4 / 3)) ** 2)
    same = pool_by_rubin(np.ones((4, 1)), np.full((4, 1), 0.5))
    assert (same.variance[0], same.degrees[0]) == (0.5, np.inf)
    with pytest.raises(InputError, match="two imputations or more"):
        pool_by_rubin(np.ones((1, 1)), np.ones((1, 1)))


def test_nelson_aalen_of_three_patients() -> None:
    """Steps 1/3, then 1/1 after a censoring."""
    outcome = Outcome(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]))
    assert nelson_aalen(outcome) == pytest.approx([1 / 3, 1 / 3, 4 / 3])
