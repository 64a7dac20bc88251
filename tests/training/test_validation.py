"""Splits, nested cross-validation, bootstrap."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.training.cohort import Cohort
from engine.training.concordance import harrell_c
from engine.training.folds import patient_folds
from engine.training.recipe import PreparationSpec, RecipeError, StrategySpec, ValidationSpec
from engine.training.resampling import (
    bootstrap_rows,
    concordance_interval,
    difference_interval,
    metric_interval,
)
from engine.training.strategies import cross_validated_c, fit_once, fit_tuned, tuned
from engine.training.validation import FittedStrategy, HeldOut, cross_validate

TIMES = np.array([12.0, 24.0])
CHECK = ValidationSpec(folds=4, repeats=2, inner_folds=3, seed=3)


@pytest.fixture
def cohort(planted: Callable[..., Cohort]) -> Cohort:
    return planted(160, [0.9, -0.5, 0.0])


def ridge(**tune: tuple[float, ...]) -> StrategySpec:
    return StrategySpec(name="ridge", model="ridge", preparation=PreparationSpec(), tune=tune)


def fit(train: Cohort, seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
    model, chosen = fit_tuned(ridge(ridge=(1.0, 100.0)), train, inner_folds=3, seed=seed)
    return model, chosen.settings


def test_folds_keep_patients_together_and_balance_events(cohort: Cohort) -> None:
    rows = np.repeat(np.arange(160), 3)
    folds = patient_folds(cohort.take(rows), folds=4, seed=1)
    assert all(len(set(folds[rows == p])) == 1 for p in range(160))
    events = [int(cohort.outcome.event[rows[folds == k]].sum()) for k in range(4)]
    assert max(events) - min(events) <= 3
    assert (folds == patient_folds(cohort.take(rows), folds=4, seed=1)).all()


def test_too_few_events_for_the_folds_are_refused(cohort: Cohort) -> None:
    few = np.flatnonzero(~cohort.outcome.event)
    with pytest.raises(InputError, match="need at least 4 patients with an event, found 0"):
        patient_folds(cohort.take(few), folds=4, seed=1)


def test_cross_validation_does_not_depend_on_the_number_of_processes(cohort: Cohort) -> None:
    one = cross_validate([("ridge", fit)], cohort, CHECK, TIMES, jobs=1)[0]
    two = cross_validate([("ridge", fit)], cohort, CHECK, TIMES, jobs=2)[0]
    assert (one.risk == two.risk).all()
    assert (one.survival == two.survival).all()
    assert one.chosen == two.chosen


def test_held_out_rows_never_meet_their_own_model(cohort: Cohort) -> None:
    """A fit function that remembers its rows finds none of them when asked to predict."""

    class Memory:
        def __init__(self, train: Cohort) -> None:
            self.rows = {tuple(r) for r in train.values}

        def risk(self, values: np.ndarray) -> np.ndarray:
            return np.array([float(tuple(v) in self.rows) for v in values])

        def survival(self, values: np.ndarray, times: np.ndarray) -> np.ndarray:
            return np.ones((len(values), len(times)))

    found = cross_validate([("m", lambda t, _: (Memory(t), {}))], cohort, CHECK, TIMES)[0]
    assert (found.risk == 0.0).all()


def test_tuning_prefers_the_better_setting(cohort: Cohort) -> None:
    """A LASSO that selects next to nothing loses to one that sees the effects."""
    spec = StrategySpec(
        name="l", model="elastic_net", preparation=PreparationSpec(), tune={"strength": (0.99, 0.1)}
    )
    chosen = tuned(spec, cohort, inner_folds=3, seed=0)
    assert chosen.settings == {"strength": 0.1}
    assert chosen.tune == {}


def test_preparation_settings_can_be_tuned(cohort: Cohort) -> None:
    chosen = tuned(ridge(screen=(1, 3)), cohort, inner_folds=3, seed=0)
    assert chosen.preparation.screen in (1, 3)
    assert "screen" not in chosen.settings


def test_an_impossible_setting_scores_like_a_coin_and_a_wrong_one_is_refused(
    cohort: Cohort,
) -> None:
    flat = StrategySpec(
        name="x", model="logistic", preparation=PreparationSpec(), settings={"horizon": 1e6}
    )
    assert cross_validated_c(flat, cohort, folds=3, seed=0) == 0.5
    wrong = StrategySpec(
        name="x", model="ridge", preparation=PreparationSpec(), settings={"alpha": 1.0}
    )
    with pytest.raises(RecipeError, match="alpha"):
        cross_validated_c(wrong, cohort, folds=3, seed=0)
    with pytest.raises(RecipeError, match="Unknown model magic"):
        fit_once(StrategySpec(name="m", model="magic", preparation=PreparationSpec()), cohort)


def held(cohort: Cohort, risk: np.ndarray) -> HeldOut:
    return HeldOut(
        name="h",
        outcome=cohort.outcome,
        times=TIMES,
        risk=risk[None],
        survival=np.ones((1, len(cohort), 2)),
        groups=np.zeros((1, len(cohort)), np.int64),
    )


def test_bootstrap_interval_of_concordance_equals_refitting_on_drawn_rows(cohort: Cohort) -> None:
    """The pair weights and real resampled rows give the same interval."""
    risk = cohort.values[:, 0]
    fast = concordance_interval(held(cohort, risk).pairs(), cohort.patients, resamples=40, seed=2)
    slow = metric_interval(
        lambda rows: harrell_c(risk[rows], cohort.outcome.take(rows)),
        cohort.patients,
        resamples=40,
        seed=2,
    )
    assert (fast.value, fast.lower, fast.upper) == pytest.approx(
        (slow.value, slow.lower, slow.upper)
    )
    assert fast.lower < fast.value < fast.upper


def test_paired_difference_of_a_strategy_with_itself_is_nothing(cohort: Cohort) -> None:
    pairs = held(cohort, cohort.values[:, 0]).pairs()
    gap = difference_interval(pairs, pairs, cohort.patients, resamples=20, seed=1)
    assert (gap.value, gap.lower, gap.upper) == (0.0, 0.0, 0.0)


def test_bootstrap_draws_patients_with_all_their_rows(cohort: Cohort) -> None:
    twice = cohort.take(np.repeat(np.arange(160), 2))
    for rows in bootstrap_rows(twice, resamples=3, seed=0):
        counts = np.bincount(rows, minlength=320)
        assert (counts[0::2] == counts[1::2]).all()
