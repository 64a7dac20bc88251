"""Time-updated Cox regression."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InputError
from engine.training.cohort import Cohort, read_cohort
from engine.training.dynamic import fit_time_updated
from engine.training.recipe import PreparationSpec, StrategySpec, parse_recipe

SPEC = StrategySpec(
    name="t", model="time_updated", preparation=PreparationSpec(), settings={"ridge": 0.1}
)


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    """AFP walks at random; the hazard of the next 90 days follows its present value."""
    random = np.random.default_rng(0)
    lines = ["p,day,left,dead,AFP"]
    for patient in range(300):
        day, log_afp, visits = 0.0, random.normal(1.5, 0.7), []
        while True:
            visits.append((day, log_afp))
            wait = random.exponential(600 / np.exp(0.8 * (log_afp - 1.5)))
            if wait < 90 or day > 900:
                end, dead = day + min(wait, 90), wait < 90
                break
            day += 90
            log_afp += random.normal(0, 0.4)
        lines += [
            f"{patient},{d},{end - d:.2f},{int(dead)},{10 ** max(a, 0) - 1:.3f}" for d, a in visits
        ]
    (tmp_path / "v.csv").write_text("\n".join(lines) + "\n")
    recipe = parse_recipe(
        {
            "format": 1,
            "name": "r",
            "title": "R",
            "citation": "",
            "data": "real",
            "cohort": {
                "table": "v.csv",
                "id": "p",
                "landmark": {"day": "day", "at_days": [180], "first": ["AFP"]},
            },
            "outcome": {
                "name": "OS",
                "short": "OS",
                "time": "left",
                "event": "dead",
                "unit": "days",
            },
            "predictor": [{"name": "afp", "column": "AFP", "transform": "log10"}],
            "strategy": [{"name": "s", "model": "ridge"}],
        },
        origin="test",
    )
    return read_cohort(recipe, tmp_path)


def test_the_planted_effect_of_the_present_value_is_recovered(cohort: Cohort) -> None:
    """0.8 per decade, from intervals between visits."""
    model = fit_time_updated(SPEC, cohort)
    ends = model.risk(np.array([[9.0], [99.0]]))
    assert ends[1] - ends[0] == pytest.approx(0.8, abs=0.15)


def test_survival_counts_from_the_landmark(cohort: Cohort) -> None:
    model = fit_time_updated(SPEC, cohort)
    survival = model.survival(cohort.values, np.array([0.0, 6.0, 12.0]))
    assert (survival[:, 0] == 1.0).all()
    assert (np.diff(survival, axis=1) < 0).all()


def test_only_the_visits_of_the_training_patients_are_used(cohort: Cohort) -> None:
    half = cohort.take(cohort.patients < 100)
    assert half.visits is not None
    assert set(half.visits.patients) <= set(half.patients)


def test_a_cohort_without_visits_is_refused(cohort: Cohort) -> None:
    with pytest.raises(InputError, match="needs repeated visits"):
        fit_time_updated(SPEC, replace(cohort, visits=None))
