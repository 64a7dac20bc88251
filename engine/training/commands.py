"""What ``hepatocast train`` and ``hepatocast evaluate`` do; the command line only parses."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import OutputError
from engine.training.card import model_card, recipe_card
from engine.training.cluster import scheduler
from engine.training.cohort import Cohort, read_cohort
from engine.training.external import evaluate_package, evaluation_text
from engine.training.judging import Judgement, held_out_predictions, judge, judge_table
from engine.training.packaged_models import fit_packaged_models, time_grid
from engine.training.packaging import write_package
from engine.training.recipe import Recipe, read_recipe
from engine.training.report.content import report_sections
from engine.training.report.evaluation import evaluation_sections
from engine.training.report.html import to_html
from engine.training.report.pdf import to_pdf
from engine.training.runs import RecipeRun, run_recipe
from engine.values.result import RESEARCH_USE_STATEMENT

__all__ = ["evaluate", "scheduler", "train", "train_all"]


def train(
    recipe: Path, cohort: Path, out: Path, *, packages: Path | None = None, jobs: int = 1
) -> str:
    """Run a recipe: compare its strategies, write the report and, if declared, the package.

    Args:
        recipe: Recipe TOML.
        cohort: Folder of the cohort tables.
        out: Folder for ``comparison.txt``, ``results.json``, ``card.md``, ``report.html``
            and ``report.pdf``; made if needed.
        packages: Where the exported package goes; ``out`` when None.
        jobs: Parallel processes.

    Returns:
        The comparison table.

    Raises:
        RecipeError, CohortError: The recipe or the tables cannot be used.
        OutputError: The folder cannot be written.
    """
    plan = read_recipe(recipe)
    rows = read_cohort(plan, cohort)
    run = run_recipe(plan, rows, jobs=jobs)
    table = comparison(run)
    _write_results(run, table, out)
    if plan.export:
        try:
            export_package(plan, rows, packages or out, jobs=jobs)
        except OSError as error:
            raise OutputError(f"Cannot write the package: {error.strerror}") from error
    return table


def train_all(recipes: Path, cohort: Path, out: Path, *, jobs: int = 1) -> str:
    """Run every recipe of a folder, each into its own folder below ``out``.

    Returns:
        One line per strategy of every recipe, real data first.

    Raises:
        RecipeError, CohortError: A recipe or its tables cannot be used; recipes before it
            have been written.
        OutputError: The folder cannot be written.
    """
    paths = sorted(recipes.glob("*.toml"))
    plans = [(path, read_recipe(path)) for path in paths]
    blocks = [
        train(path, cohort, out / path.stem, jobs=jobs)
        for path, _ in sorted(plans, key=lambda entry: (entry[1].data, entry[0].stem))
    ]
    return "\n\n".join(blocks)


def _write_results(run: RecipeRun, table: str, out: Path) -> None:
    sections = report_sections(run)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "comparison.txt").write_text(table + "\n", encoding="utf-8")
        (out / "results.json").write_text(
            json.dumps(results(run), indent=1) + "\n", encoding="utf-8"
        )
        (out / "card.md").write_text(recipe_card(run), encoding="utf-8")
        html = to_html(sections, statement=RESEARCH_USE_STATEMENT)
        (out / "report.html").write_text(html, encoding="utf-8")
        (out / "report.pdf").write_bytes(to_pdf(sections, statement=RESEARCH_USE_STATEMENT))
    except OSError as error:
        raise OutputError(f"Cannot write the training result: {error.strerror}") from error


def export_package(recipe: Recipe, cohort: Cohort, folder: Path, *, jobs: int = 1) -> Path:
    """Fit, judge and write the package a recipe declares, with its card."""
    export, check = recipe.export, recipe.validation
    times = time_grid(
        cohort, step=float(export.get("step_months", 3)), limit=float(export["limit_months"])
    )
    models = fit_packaged_models(recipe, cohort, times, jobs=jobs)
    judgements = [
        replace(
            judge(
                held_out_predictions(m.held, m.cohort.patients),
                recipe.outcome.horizons_months,
                resamples=min(check.bootstrap, 200),
                seed=check.seed,
            ),
            name=m.name,
            harrell=m.concordance,
        )
        for m in models
    ]
    target = write_package(recipe, models, times, folder)
    card = model_card(recipe, models, judgements)
    (target / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    return target


def evaluate(
    package: Path,
    cohort: Path,
    out: Path | None = None,
    *,
    horizons: tuple[float, ...] = (),
    subgroups: tuple[str, ...] = (),
    references: tuple[str, ...] = (),
) -> str:
    """Judge a finished risk package on other patients.

    Args:
        package: Version folder of the package.
        cohort: CSV with ``patient``, ``time_months``, ``event`` and one column per source
            value, named by the predictor's key in the manifest's unit ("afp" in ng/mL); a
            column ``center`` adds calibration and recalibration per center.
        out: Folder for ``evaluation.json``, ``evaluation.html`` and ``evaluation.pdf``;
            nothing is written when None.
        horizons: Months; 12, 24, 36 and 60 inside the package's grid when empty.
        subgroups: Columns whose values are judged apart.
        references: Columns of stages or scores to be beaten, larger is worse.

    Returns:
        A table per model of the package, with patients who were refused.
    """
    found = evaluate_package(package, cohort, horizons, subgroups=subgroups, references=references)
    if out is not None:
        sections = evaluation_sections(found)
        statement = RESEARCH_USE_STATEMENT
        try:
            out.mkdir(parents=True, exist_ok=True)
            content = json.dumps([summary(m.judgement) for m in found.models], indent=1)
            (out / "evaluation.json").write_text(content + "\n", encoding="utf-8")
            html = to_html(sections, statement=statement)
            (out / "evaluation.html").write_text(html, encoding="utf-8")
            (out / "evaluation.pdf").write_bytes(to_pdf(sections, statement=statement))
        except OSError as error:
            raise OutputError(f"Cannot write the evaluation: {error.strerror}") from error
    return evaluation_text(found)


def comparison(run: RecipeRun) -> str:
    """The comparison table with its heading and paired differences."""
    recipe, cohort = run.recipe, run.cohort
    patients = len(np.unique(cohort.patients))
    lines = [
        f"{recipe.title} ({recipe.name}; {recipe.data} data)",
        f"{recipe.outcome.name}: {patients} patients, {int(cohort.outcome.event.sum())} events",
        *(
            [f"{int((cohort.cause == 2).sum())} competing events"]
            if cohort.cause is not None
            else []
        ),
        *cohort.notes,
        judge_table(run.judgements),
    ]
    lines += [
        f"C of {name} minus {run.held[0].name}: {difference}"
        for name, difference in run.differences
    ]
    if run.optimism is not None:
        found = run.optimism
        lines.append(
            f"Optimism bootstrap of {run.best.name}: apparent C {found.apparent:.3f}, optimism "
            f"{found.optimism:.3f}, corrected {found.corrected:.3f}"
        )
    lines += sorted({j.refused_horizons for j in run.judgements if j.refused_horizons})
    return "\n".join(lines)


def results(run: RecipeRun) -> dict[str, Any]:
    """Everything measured, JSON-able."""
    return {
        "recipe": run.recipe.name,
        "data": run.recipe.data,
        "outcome": run.recipe.outcome.name,
        "strategies": [summary(j) for j in run.judgements],
        "differences": {name: [d.value, d.lower, d.upper] for name, d in run.differences},
    }


def summary(judgement: Judgement) -> dict[str, Any]:
    """One judgement, JSON-able."""
    j = judgement
    return {
        "name": j.name,
        "patients": j.patients,
        "events": j.events,
        "harrell_c": [j.harrell.value, j.harrell.lower, j.harrell.upper],
        "uno_c": [j.uno.value, j.uno.lower, j.uno.upper],
        "tau_months": j.tau,
        "auc": {f"{h:g}": [v.value, v.lower, v.upper] for h, v in j.auc},
        "brier_skill": [j.skill.value, j.skill.lower, j.skill.upper],
        "calibration": [
            {
                "months": c.horizon,
                **{
                    name: [v.value, v.lower, v.upper]
                    for name in ("ici", "e50", "e90", "slope", "intercept")
                    for v in [getattr(found, name)]
                },
            }
            for c, found in zip(j.calibrations, j.calibration_intervals, strict=True)
        ],
        "refused_horizons": j.refused_horizons,
    }
