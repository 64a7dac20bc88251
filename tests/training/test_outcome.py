"""Kaplan–Meier, Aalen–Johansen and horizons."""

import numpy as np
import pytest
from sksurv.nonparametric import CensoringDistributionEstimator, kaplan_meier_estimator
from sksurv.util import Surv

from engine.errors import InputError
from engine.training.outcome import (
    Floats,
    HorizonError,
    Outcome,
    aalen_johansen,
    censoring_distribution,
    check_horizons,
    kaplan_meier,
    largest_safe_horizon,
)


def test_kaplan_meier_gives_the_published_leukemia_curve(leukemia: tuple[Floats, Outcome]) -> None:
    """6-MP arm as printed in Kleinbaum & Klein, Survival Analysis, table 2.1."""
    treated, outcome = leukemia
    curve = kaplan_meier(outcome.take(treated[:, 0] == 1))
    at = np.array([6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0])
    assert curve(at) == pytest.approx(
        [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5
    )


def test_kaplan_meier_equals_scikit_survival(rounded: tuple[Floats, Outcome, Floats]) -> None:
    _, outcome, _ = rounded
    times, survival = kaplan_meier_estimator(outcome.event, outcome.time)
    assert kaplan_meier(outcome)(times) == pytest.approx(survival, abs=1e-12)


def test_censoring_distribution_equals_scikit_survival(
    rounded: tuple[Floats, Outcome, Floats],
) -> None:
    _, outcome, _ = rounded
    golden = CensoringDistributionEstimator().fit(Surv.from_arrays(outcome.event, outcome.time))
    times = np.arange(0.0, 50.0)
    assert censoring_distribution(outcome)(times) == pytest.approx(
        golden.predict_proba(times), abs=1e-12
    )


def test_weights_equal_repeated_patients(rounded: tuple[Floats, Outcome, Floats]) -> None:
    _, outcome, _ = rounded
    counts = np.random.default_rng(0).integers(0, 4, len(outcome))
    rows = np.repeat(np.arange(len(outcome)), counts)
    times = np.arange(0.0, 50.0)
    weighted = kaplan_meier(outcome, counts.astype(float))
    assert weighted(times) == pytest.approx(kaplan_meier(outcome.take(rows))(times), abs=1e-12)


def test_without_competition_incidence_is_one_minus_survival(
    rounded: tuple[Floats, Outcome, Floats],
) -> None:
    _, outcome, _ = rounded
    incidence = aalen_johansen(outcome.time, outcome.event.astype(int), of=1)
    times = np.arange(0.0, 50.0)
    assert incidence(times) == pytest.approx(1 - kaplan_meier(outcome)(times), abs=1e-12)


def test_incidences_of_all_causes_add_up(rounded: tuple[Floats, Outcome, Floats]) -> None:
    """Cause 1 + cause 2 = 1 - overall survival, and each is below 1 - its own Kaplan–Meier."""
    _, outcome, _ = rounded
    cause = np.where(outcome.event, np.random.default_rng(0).integers(1, 3, len(outcome)), 0)
    times = np.arange(0.0, 50.0)
    first, second = (aalen_johansen(outcome.time, cause, of=k)(times) for k in (1, 2))
    assert first + second == pytest.approx(1 - kaplan_meier(outcome)(times), abs=1e-12)
    naive = 1 - kaplan_meier(Outcome(outcome.time, cause == 1))(times)
    assert (first <= naive + 1e-12).all()
    assert first[-1] < naive[-1]


def test_horizons_beyond_follow_up_are_refused_with_the_largest_safe_one() -> None:
    """Ten patients must still be followed: with times 1..100 that is month 91."""
    outcome = Outcome(np.arange(1.0, 101.0), np.ones(100, bool))
    assert largest_safe_horizon(outcome) == 91.0
    check_horizons(outcome, (12.0, 91.0))
    with pytest.raises(HorizonError, match=r"Horizons 95, 120 months .* horizon is 91 months"):
        check_horizons(outcome, (12.0, 95.0, 120.0))


def test_nine_patients_have_no_safe_horizon() -> None:
    assert largest_safe_horizon(Outcome(np.ones(9), np.ones(9, bool))) == 0.0


@pytest.mark.parametrize("time", [[-1.0, 2.0], [np.nan, 2.0], [1.0]])
def test_impossible_outcomes_are_refused(time: list[float]) -> None:
    with pytest.raises(InputError):
        Outcome(np.array(time), np.array([True, False]))


def test_cutting_follow_up_censors_later_events() -> None:
    cut = Outcome(np.array([5.0, 15.0]), np.array([True, True])).censored_at(10.0)
    assert cut.time.tolist() == [5.0, 10.0]
    assert cut.event.tolist() == [True, False]


def test_aalen_johansen_equals_lifelines() -> None:
    """Recorded from lifelines 0.30.3, AalenJohansenFitter, fourteen patients, two causes."""
    time = np.array([1.5, 2.25, 3, 3.75, 4.5, 5.25, 6, 7.5, 8.25, 9, 10.5, 12, 13.5, 15])
    cause = np.array([1, 0, 2, 1, 1, 0, 2, 1, 0, 2, 1, 0, 1, 0])
    found = aalen_johansen(time, cause, of=1)(np.array([2.0, 5.0, 8.0, 14.0]))
    golden = [0.071428571429, 0.22619047619, 0.313244047619, 0.574404761905]
    assert found == pytest.approx(golden, abs=1e-11)
