"""Running recipes whose strategies choose, recur or compete."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.training.cohort import Cohort, Column
from engine.training.commands import comparison
from engine.training.recipe import Recipe, parse_recipe
from engine.training.report.content import report_sections
from engine.training.report.html import to_html
from engine.training.runs import run_recipe


def recipe(strategies: list[dict[str, Any]], **outcome: str) -> Recipe:
    return parse_recipe(
        {
            "format": 1, "name": "r", "title": "Test", "citation": "", "data": "real",
            "cohort": {"table": "none.csv", "id": "patient"},
            "outcome": {"name": "Recurrence", "short": "TTR", "time": "t", "event": "e",
                        "horizons_months": [6, 12], **outcome},
            "predictor": [{"name": "x", "pattern": "x*"}],
            "preparation": {"missing": "mean"},
            "strategy": strategies,
            "validation": {"folds": 3, "repeats": 1, "inner_folds": 2, "bootstrap": 20,
                           "optimism": 5},
        },
        origin="test",
    )  # fmt: skip


def test_the_winner_is_chosen_inside_every_training_fold(
    planted: Callable[..., Cohort],
) -> None:
    """Of a penalty that shrinks all effects away and a sensible model, the latter is taken."""
    cohort = planted(150, [0.9, -0.6, 0.0], seed=4)
    weak = {"model": "elastic_net", "settings": {"strength": 0.9999}}
    plan = recipe(
        [
            {"name": "nothing", **weak},
            {"name": "ridge", "model": "ridge"},
            {"name": "winner", "model": "best_of", "bases": ["nothing", "ridge"]},
        ]
    )
    run = run_recipe(plan, cohort)
    assert [c["chosen"] for c in run.held[2].chosen] == ["ridge"] * 3
    assert (run.held[2].risk == run.held[1].risk).all()


@pytest.fixture
def competing(planted: Callable[..., Cohort]) -> Cohort:
    cohort = planted(200, [0.8, 0.0], seed=6)
    random = np.random.default_rng(1)
    death = random.exponential(25.0, 200)
    first = death < cohort.outcome.time
    cause = np.where(first, 2, cohort.outcome.event.astype(np.int64))
    outcome = replace(cohort.outcome, time=np.minimum(death, cohort.outcome.time), event=cause == 1)
    return replace(cohort, outcome=outcome, cause=cause)


def test_competing_risks_go_through_to_the_report(competing: Cohort) -> None:
    plan = recipe(
        [
            {"name": "Fine–Gray", "model": "fine_gray"},
            {"name": "cause-specific", "model": "cause_specific"},
            {"name": "deaths censored", "model": "ridge"},
        ],
        competing="death",
    )
    run = run_recipe(plan, competing)
    right, _, wrong = run.judgements
    assert right.harrell.value > 0.62
    assert right.calibrations[1].mean_predicted_risk < wrong.calibrations[1].mean_predicted_risk
    assert abs(right.calibrations[1].intercept) < abs(wrong.calibrations[1].intercept)
    table = comparison(run)
    assert f"{int((competing.cause == 2).sum())} competing events" in table
    assert "Optimism bootstrap of" in table
    html = to_html(report_sections(run), statement="Research.")
    assert "Aalen–Johansen" in html


def test_a_recurrent_network_is_tuned_inside_the_folds(planted: Callable[..., Cohort]) -> None:
    cohort = planted(120, [0.9, -0.9], seed=4)
    cohort = replace(
        cohort, columns=tuple(Column(name=f"x@{k}", modality="clinical") for k in range(2))
    )
    plan = recipe(
        [
            {
                "name": "network",
                "model": "recurrent",
                "settings": {"units": 2, "steps": 15, "intervals": 3},
                "tune": {"decay": [1.0, 1e6]},
            }
        ]
    )
    run = run_recipe(plan, cohort)
    assert all(c["decay"] == 1.0 for c in run.held[0].chosen)
    assert run.judgements[0].harrell.value > 0.65
