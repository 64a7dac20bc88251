"""Cause-specific models and cumulative incidence."""

import numpy as np
import pytest

from engine.errors import InputError
from engine.training.competing import fit_competing
from engine.training.outcome import Outcome, aalen_johansen, kaplan_meier

TIMES = np.array([3.0, 8.0, 15.0])


def causes(seed: int, patients: int, effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Recurrence (1) depends on x, death (2) does not."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(patients, 1))
    first = random.exponential(10 / np.exp(effect * x[:, 0]))
    second = random.exponential(20, patients)
    end = random.uniform(5, 30, patients)
    time = np.minimum(np.minimum(first, second), end)
    cause = np.where(time == first, 1, np.where(time == second, 2, 0))
    return x, time, cause


def test_without_effects_the_incidence_is_aalen_johansen() -> None:
    x, time, cause = causes(0, 400, 0.0)
    fit = fit_competing(np.zeros_like(x), time, cause)
    for of in (1, 2):
        golden = aalen_johansen(time, cause, of=of)(TIMES)
        assert fit.incidence(np.zeros((1, 1)), TIMES, of=of)[0] == pytest.approx(golden, abs=1e-9)


def test_incidences_and_survival_add_up() -> None:
    x, time, cause = causes(1, 300, 0.0)
    fit = fit_competing(np.zeros_like(x), time, cause)
    total = sum(fit.incidence(np.zeros((1, 1)), TIMES, of=of)[0] for of in (1, 2))
    alive = kaplan_meier(Outcome(time, cause > 0))(TIMES)
    assert total == pytest.approx(1 - alive, abs=1e-9)


def test_planted_effects_are_recovered_and_competition_lowers_the_other_cause() -> None:
    """X doubles recurrence; deaths before it become rarer although their hazard stays."""
    x, time, cause = causes(2, 3000, 0.7)
    fit = fit_competing(x, time, cause)
    assert fit.models[0].coefficients[0] == pytest.approx(0.7, abs=0.08)
    assert fit.models[1].coefficients[0] == pytest.approx(0.0, abs=0.1)
    ends = np.array([[-1.0], [1.0]])
    assert np.diff(fit.incidence(ends, TIMES, of=1)[:, -1])[0] > 0.3
    assert np.diff(fit.incidence(ends, TIMES, of=2)[:, -1])[0] < -0.1


def test_unknown_causes_and_no_events_are_refused() -> None:
    x, time, cause = causes(3, 50, 0.0)
    with pytest.raises(InputError, match="Cause 3"):
        fit_competing(x, time, cause).incidence(x, TIMES, of=3)
    with pytest.raises(InputError, match="at least one event"):
        fit_competing(x, time, np.zeros(50, np.int64))
