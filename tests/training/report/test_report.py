"""Report pieces: figures, checklist, HTML and PDF from sections."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from engine.training.cohort import Cohort, Column
from engine.training.outcome import Outcome
from engine.training.recipe import Recipe, parse_recipe
from engine.training.report.content import Section
from engine.training.report.figures import (
    draw,
    paint_forest,
    paint_kaplan_meier,
    risk_groups,
    to_png,
    to_svg,
)
from engine.training.report.html import to_html
from engine.training.report.pdf import to_pdf
from engine.training.report.tripod import AUTHORS, checklist
from engine.training.runs import RecipeRun, run_recipe


def recipe() -> Recipe:
    return parse_recipe(
        {
            "format": 1,
            "name": "r",
            "title": "Title & more",
            "citation": "",
            "data": "real",
            "cohort": {"table": "t.csv", "id": "p"},
            "outcome": {
                "name": "Survival",
                "short": "OS",
                "time": "t",
                "event": "e",
                "horizons_months": [12, 24],
            },
            "predictor": [{"name": "x", "column": "x"}],
            "strategy": [
                {"name": "ridge", "model": "ridge"},
                {"name": "lasso", "model": "lasso_cox"},
            ],
            "validation": {"folds": 3, "repeats": 1, "inner_folds": 2, "bootstrap": 10},
        },
        origin="test",
    )


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    random = np.random.default_rng(3)
    values = random.normal(size=(150, 2))
    time = random.exponential(20 / np.exp(values @ [0.8, -0.5]))
    end = random.uniform(10, 60, 150)
    return Cohort(
        name="c",
        columns=(Column(name="x0", modality="clinical"), Column(name="x1", modality="clinical")),
        values=values,
        outcome=Outcome(np.minimum(time, end), time <= end),
        patients=np.arange(150),
        strata=np.zeros(150, np.int64),
    )


@pytest.fixture(scope="module")
def run(cohort: Cohort) -> RecipeRun:
    return run_recipe(recipe(), cohort)


def test_risk_groups_are_thirds_of_every_fold(run: RecipeRun) -> None:
    groups = risk_groups(run.held[0])
    for fold in np.unique(run.held[0].groups[0]):
        sizes = np.bincount(groups[run.held[0].groups[0] == fold], minlength=3)
        assert sizes.max() - sizes.min() <= 1


def test_kaplan_meier_shows_the_numbers_at_risk(run: RecipeRun) -> None:
    groups = risk_groups(run.held[0])
    truth = run.held[0].truth
    names = ("low", "mid", "high")
    svg = to_svg(draw(lambda a: paint_kaplan_meier(a, truth, groups, names, 24.0)))
    for k in range(3):
        assert f">{int((groups == k).sum())}</text>" in svg
        assert f">{int((truth.observed.time[groups == k] >= 12).sum())}</text>" in svg


def test_figures_repeat_byte_for_byte(run: RecipeRun) -> None:
    first, second = (draw(lambda a: paint_forest(a, run.judgements)) for _ in range(2))
    assert to_svg(first) == to_svg(second)
    assert to_png(first) == to_png(second)


def test_figures_are_not_blank(run: RecipeRun) -> None:
    picture = Image.open(BytesIO(to_png(draw(lambda a: paint_forest(a, run.judgements)))))
    shades = np.asarray(picture.convert("L"))
    assert 0.01 < float((shades < 200).mean()) < 0.5


def test_the_checklist_has_27_items_and_invents_nothing(run: RecipeRun) -> None:
    items = checklist(run)
    assert [i.number for i in items] == [str(k) for k in range(1, 28)]
    open_items = {i.number for i in items if not i.answered}
    assert open_items == {"2", "3", "19", "25", "26"}
    assert all(i.answer == AUTHORS for i in items if i.number in open_items)
    performance = next(i for i in items if i.number == "23").answer
    assert str(run.best.harrell) in performance


def a_line(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1])


def sections() -> tuple[Section, ...]:
    return (
        Section("Title & <more>", ("One < two",), ((("head",), ("cell & co",)),)),
        Section("Figures", figures=(("A line", draw(a_line)),)),
    )


def test_html_escapes_and_needs_nothing_else() -> None:
    html = to_html(sections(), statement="Research & use")
    assert "Title &amp; &lt;more&gt;" in html
    assert "cell &amp; co" in html
    assert "<svg" in html
    assert "http-equiv" not in html
    assert "<script" not in html


def test_pdf_is_the_same_for_the_same_sections() -> None:
    assert to_pdf(sections(), statement="s") == to_pdf(sections(), statement="s")
