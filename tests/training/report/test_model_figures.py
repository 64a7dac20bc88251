"""Effects and nomogram of a linear strategy."""

from dataclasses import replace

import numpy as np
import pytest

from engine.training.cohort import Cohort, Column
from engine.training.outcome import Outcome
from engine.training.recipe import Recipe, parse_recipe
from engine.training.report.figures import draw, to_svg
from engine.training.report.model_figures import (
    ShownModel,
    nomogram_axes,
    paint_effects,
    paint_nomogram,
    rubin_rows,
    shown_model,
    total_points_scale,
)
from engine.training.runs import RecipeRun, run_recipe


def recipe(*models: str) -> Recipe:
    return parse_recipe(
        {
            "format": 1, "name": "r", "title": "Test", "citation": "", "data": "real",
            "cohort": {"table": "none.csv", "id": "patient"},
            "outcome": {"name": "Survival", "short": "OS", "time": "t", "event": "e",
                        "horizons_months": [12]},
            "predictor": [{"name": "x", "pattern": "x*"}],
            "strategy": [{"name": m, "model": m, "settings": {"trees": 5}} if m == "forest"
                         else {"name": m, "model": m} for m in models],
            "validation": {"folds": 3, "repeats": 1, "inner_folds": 2, "bootstrap": 10},
        },
        origin="test",
    )  # fmt: skip


def run_of(*models: str) -> RecipeRun:
    random = np.random.default_rng(3)
    values = np.column_stack(
        (random.normal(60, 10, 150), random.integers(0, 2, 150), np.exp(random.normal(3, 1, 150)))
    )
    log_hazard = 0.05 * (values[:, 0] - 60) + 0.7 * values[:, 1] + 0.5 * np.log10(values[:, 2] + 1)
    time = random.exponential(30 / np.exp(log_hazard))
    columns = tuple(
        Column(name=n, modality="clinical", transform="log10" if n == "afp" else "identity")
        for n in ("age", "male", "afp")
    )
    cohort = Cohort(
        name="c", columns=columns, values=values,
        outcome=Outcome(np.minimum(time, 60), time <= 60),
        patients=np.arange(150), strata=np.zeros(150, np.int64),
    )  # fmt: skip
    return run_recipe(recipe(*models), cohort)


@pytest.fixture(scope="module")
def run() -> RecipeRun:
    return run_of("forest", "ridge")


@pytest.fixture(scope="module")
def shown(run: RecipeRun) -> ShownModel:
    found = shown_model(run)
    assert found is not None
    return found


def test_the_best_linear_strategy_is_shown_with_its_bounds(shown: ShownModel) -> None:
    assert shown.name == "ridge"
    assert (shown.lower <= shown.fit.coefficients).all()
    assert (shown.fit.coefficients <= shown.upper).all()
    svg = to_svg(draw(lambda a: paint_effects(a, shown)))
    assert f"{np.exp(shown.fit.coefficients[1]):.2f} (" in svg


def test_points_add_up_to_the_linear_predictor(run: RecipeRun, shown: ShownModel) -> None:
    """For every mark of every axis: base + unit · total points is the model's own number."""
    axes = nomogram_axes(shown, run.cohort)
    base, unit = total_points_scale(shown, run.cohort, axes)
    assert max(a.points.max() for a in axes) == pytest.approx(100.0)
    for picks in ((0, 0, 0), (4, 1, 2), (2, 0, 4)):
        values = np.array([[a.values[k] for a, k in zip(axes, picks, strict=True)]])
        points = sum(a.points[k] for a, k in zip(axes, picks, strict=True))
        assert base + unit * points == pytest.approx(float(shown.model.risk(values)[0]))


def test_the_nomogram_names_predictors_and_horizons(run: RecipeRun, shown: ShownModel) -> None:
    svg = to_svg(draw(lambda a: paint_nomogram(a, shown, run.cohort, (12.0,))))
    for text in ("age", "male", "afp", "Total points", "Event-free at 12 mo"):
        assert text in svg


def test_without_a_linear_strategy_nothing_is_shown() -> None:
    assert shown_model(run_of("forest")) is None


def test_under_competing_risks_the_proper_score_decides(run: RecipeRun) -> None:
    cause = run.cohort.outcome.event.astype(np.int64)
    with_causes = replace(run, cohort=replace(run.cohort, cause=cause))
    assert with_causes.best.skill.value == max(j.skill.value for j in run.judgements)


def test_pooled_effects_are_listed_where_values_were_imputed_several_times(
    run: RecipeRun, shown: ShownModel
) -> None:
    assert rubin_rows(shown, run.cohort) == ()
    values = run.cohort.values.copy()
    values[::3, 2] = np.nan
    preparation = replace(shown.spec.preparation, missing="multiple", imputations=3)
    plan = replace(
        run.recipe,
        strategies=tuple(
            replace(s, preparation=preparation) if s.name == "ridge" else s
            for s in run.recipe.strategies
        ),
    )
    imputed = replace(run, recipe=plan, cohort=replace(run.cohort, values=values))
    found = shown_model(imputed)
    assert found is not None
    rows = rubin_rows(found, imputed.cohort)
    assert [row[0] for row in rows] == ["age", "male", "afp"]
    assert int(rows[2][2].split()[0]) > int(rows[0][2].split()[0])
