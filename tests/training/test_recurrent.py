"""The recurrent network: planted courses, competing causes, closed-form incidence."""

from dataclasses import replace

import numpy as np
import pytest

from engine.training.cohort import Cohort, Column
from engine.training.concordance import harrell_c
from engine.training.outcome import Outcome
from engine.training.recipe import PreparationSpec, RecipeError, StrategySpec
from engine.training.recurrent import Hazards, fit_recurrent

TIMES = np.array([3.0, 9.0, 18.0])


def courses(patients: int, seed: int, *, competing: bool = False) -> Cohort:
    """Four visits of one marker; the hazard follows its rise since the first visit.

    A third of the patients have only two visits. The level itself says nothing.
    """
    random = np.random.default_rng(seed)
    level, rise = 4.0 * random.normal(size=patients), random.normal(size=patients)
    marker = level[:, None] + rise[:, None] * np.array([3.0, 2.0, 1.0, 0.0])
    marker += 0.1 * random.normal(size=marker.shape)
    short = random.random(patients) < 0.33
    marker[np.ix_(short, [2, 3])] = np.nan
    time = random.exponential(12.0 / np.exp(0.9 * rise))
    other = random.exponential(20.0, patients) if competing else np.full(patients, np.inf)
    end = random.uniform(6, 40, patients)
    first = np.minimum(np.minimum(time, other), end)
    cause = np.where(first == time, 1, np.where(first == other, 2, 0))
    names = [f"marker@{k}" for k in range(4)] + ["age"]
    return Cohort(
        name="courses",
        columns=tuple(Column(name=n, modality="history") for n in names),
        values=np.column_stack((marker, random.normal(size=patients))),
        outcome=Outcome(first, cause == 1),
        patients=np.arange(patients),
        strata=np.zeros(patients, np.int64),
        cause=cause if competing else None,
    )


def spec(**settings: float) -> StrategySpec:
    preparation = PreparationSpec(missing="mean")
    return StrategySpec(
        name="gru", model="recurrent", preparation=preparation, settings=dict(settings)
    )


def test_a_planted_rise_is_found_where_the_last_value_hides_it() -> None:
    train, test = courses(700, 1), courses(700, 2)
    model = fit_recurrent(spec(decay=0.5, steps=80), train)
    found = harrell_c(model.risk(test.values), test.outcome)
    assert found > 0.68
    assert found > harrell_c(test.values[:, 0], test.outcome) + 0.04


def test_survival_is_calibrated_and_falls_with_time() -> None:
    cohort = courses(700, 3)
    model = fit_recurrent(spec(decay=0.5, steps=60), cohort)
    survival = model.survival(cohort.values, TIMES)
    assert (np.diff(survival, axis=1) <= 0).all()
    known = cohort.outcome.event | (cohort.outcome.time > TIMES[0])
    observed = 1.0 - float((cohort.outcome.time[known] <= TIMES[0]).mean())
    assert survival[:, 0].mean() == pytest.approx(observed, abs=0.04)


def test_the_competing_cause_lowers_the_incidence() -> None:
    """The incidence stays below what the first cause alone would give."""
    cohort = courses(700, 4, competing=True)
    model = fit_recurrent(spec(decay=0.5, steps=60), cohort)
    assert model.hazards.level.shape[1] == 2
    found = model.survival(cohort.values, TIMES)
    alone = replace(
        model.hazards,
        level=model.hazards.level[:, :1],
        effect=model.hazards.effect[:, :1],
        tilt=model.hazards.tilt[:, :1],
    )
    without = 1.0 - alone.incidence(model.state(cohort.values), TIMES)
    assert (found > without).all()
    assert harrell_c(model.risk(cohort.values), cohort.ranking) > 0.65


def test_incidence_is_the_integral_of_hazard_and_survival() -> None:
    """Golden: numerical integration of constant hazards 0.1 and 0.05, then 0.2 and 0.05."""
    hazards = Hazards(
        np.array([5.0, 20.0]),
        np.log([[0.1, 0.05], [0.2, 0.05]]),
        np.zeros((1, 2)),
        np.zeros((1, 2)),
    )
    fine = np.linspace(0, 12, 240_001)
    rate = np.where(fine < 5, 0.1, 0.2)
    total = np.concatenate(([0.0], np.cumsum((rate + 0.05)[:-1] * np.diff(fine))))
    golden = float(np.trapezoid(rate * np.exp(-total), fine))
    found = hazards.incidence(np.zeros((1, 1)), np.array([12.0]))[0, 0]
    assert found == pytest.approx(golden, abs=1e-4)


def test_columns_of_visits_are_needed_and_settings_known() -> None:
    cohort = courses(60, 5)
    plain = replace(cohort, columns=tuple(Column(name=f"x{k}", modality="m") for k in range(5)))
    with pytest.raises(RecipeError, match="columns of single visits"):
        fit_recurrent(spec(), plain)
    with pytest.raises(RecipeError, match="layers"):
        fit_recurrent(spec(layers=3), cohort)
