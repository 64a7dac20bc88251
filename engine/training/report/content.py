"""What a report shows, before it becomes HTML or PDF."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from engine.training.judging import Judgement
from engine.training.optimism import Optimism
from engine.training.report import figures
from engine.training.report.model_figures import (
    MOST_AXES,
    MOST_EFFECTS,
    paint_effects,
    paint_nomogram,
    rubin_rows,
    shown_model,
)
from engine.training.report.tripod import ChecklistItem, checklist
from engine.training.runs import RecipeRun

Table = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with text, tables (first row is the head) and figures with captions."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[tuple[str, Figure], ...] = ()


def report_sections(run: RecipeRun) -> tuple[Section, ...]:
    """All sections of a run's report."""
    return (
        _overview(run),
        _comparison(run),
        _survival(run),
        _calibration(run),
        _decision(run),
        _model(run),
        _subsets(run),
        _checklist(checklist(run)),
    )


def _overview(run: RecipeRun) -> Section:
    recipe, cohort = run.recipe, run.cohort
    patients = len(np.unique(cohort.patients))
    lines = [
        f"Outcome: {recipe.outcome.name}, counted from {recipe.outcome.origin}.",
        f"Cohort: {patients} patients, {int(cohort.outcome.event.sum())} events"
        + (f"; {recipe.cohort.source}" if recipe.cohort.source else "")
        + (f"; license {recipe.cohort.license}." if recipe.cohort.license else "."),
    ]
    if recipe.data == "synthetic":
        lines.append(
            "SYNTHETIC DATA with planted effects: the figures show that the strategy works "
            "on data of this kind, not how it performs in patients."
        )
    if recipe.citation:
        lines.append(f"Reproduces the strategy of: {recipe.citation}.")
    if cohort.cause is not None:
        lines.append(
            f"Competing risks: {int((cohort.cause == 2).sum())} patients had the competing event "
            f"({recipe.outcome.competing}) first. They are not censored: curves are 1 - "
            "Aalen–Johansen, and every measure counts them as never having the event."
        )
    lines += [*cohort.notes, *recipe.differs]
    return Section(recipe.title, tuple(lines))


def _comparison(run: RecipeRun) -> Section:
    head = ("Strategy", "Harrell C", "Uno C", "Brier skill", "Paper reports")
    papers = {s.name: s.paper for s in run.recipe.strategies}
    rows = [
        (j.name, str(j.harrell), f"{j.uno} (τ {j.tau:g})", str(j.skill), papers[j.name] or "–")
        for j in run.judgements
    ]
    tables: list[Table] = [(head, *rows)]
    if run.differences:
        first = run.held[0].name
        tables.append(
            (
                ("Strategy", f"C minus that of {first} (paired bootstrap)"),
                *((name, str(difference)) for name, difference in run.differences),
            )
        )
    height = 1.4 + 0.32 * len(run.judgements)
    text = [*sorted({j.refused_horizons for j in run.judgements if j.refused_horizons})]
    if run.optimism is not None:
        text.append(_optimism_words(run, run.optimism))
    return Section(
        "Strategies on the same splits",
        tuple(text),
        tuple(tables),
        (
            (
                "Held-out concordance with 95 % bootstrap intervals.",
                figures.draw(lambda a: figures.paint_forest(a, run.judgements), height=height),
            ),
            (
                "Cumulative/dynamic AUC at the horizons.",
                figures.draw(lambda a: figures.paint_auc(a, run.judgements)),
            ),
        ),
    )


def _optimism_words(run: RecipeRun, found: Optimism) -> str:
    return (
        f"Optimism bootstrap of {run.best.name} ({run.recipe.validation.optimism} samples, tuning "
        f"repeated in each): apparent C {found.apparent:.3f}, optimism {found.optimism:.3f}, "
        f"corrected {found.corrected:.3f}."
    )


def _survival(run: RecipeRun) -> Section:
    held = next(h for h in run.held if h.name == run.best.name)
    groups = figures.risk_groups(held)
    end = float(held.times[-1])
    names = ("low risk", "intermediate risk", "high risk")
    curve = "Kaplan–Meier" if run.cohort.cause is None else "1 - Aalen–Johansen"
    return Section(
        f"{curve} by held-out risk third ({held.name})",
        figures=(
            (
                "Thirds of the out-of-fold risk inside each fold; ticks are censored patients.",
                figures.draw(
                    lambda a: figures.paint_kaplan_meier(a, held.truth, groups, names, end),
                    height=5.0,
                ),
            ),
        ),
    )


def calibration_table(judgements: Sequence[Judgement]) -> Table:
    """Figures of the calibration curves with their intervals, one row per horizon."""
    head = (
        "Strategy",
        "Months",
        "ICI",
        "E50",
        "E90",
        "Slope",
        "Intercept",
        "Observed",
        "Predicted",
    )
    rows = [
        (
            j.name,
            f"{c.horizon:g}",
            str(found.ici),
            str(found.e50),
            str(found.e90),
            str(found.slope),
            str(found.intercept),
            f"{c.observed_risk:.3f}",
            f"{c.mean_predicted_risk:.3f}",
        )
        for j in judgements
        for c, found in zip(j.calibrations, j.calibration_intervals, strict=True)
    ]
    return (head, *rows)


def _calibration(run: RecipeRun) -> Section:
    return Section(
        "Calibration of held-out predictions",
        tables=(calibration_table(run.judgements),),
        figures=(
            (
                f"{run.best.name}: smoothed curves, dots are fifths of predicted risk.",
                figures.draw(lambda a: figures.paint_calibration(a, run.best), height=5.2),
            ),
        ),
    )


def _decision(run: RecipeRun) -> Section:
    horizon = run.best.decisions[min(1, len(run.best.decisions) - 1)][0]
    head = ("Stage", "Months", "C minus the stage's", "NRI, events", "NRI, no event", "NRI, total")
    rows = [
        (
            s.stage,
            f"{s.horizon:g}",
            str(s.difference),
            f"{s.moved.events:+.3f}",
            f"{s.moved.nonevents:+.3f}",
            str(s.total),
        )
        for s in run.stages
    ]
    return Section(
        "Decision curve and reclassification",
        tables=((head, *rows),) if rows else (),
        figures=(
            (
                "Net benefit of acting above a threshold risk, corrected for censoring; band: "
                f"95 % bootstrap interval of {run.best.name}.",
                figures.draw(
                    lambda a: figures.paint_decision(a, run.judgements, horizon, run.best)
                ),
            ),
        ),
    )


def _model(run: RecipeRun) -> Section:
    heading = "Effects and nomogram"
    shown = shown_model(run)
    if shown is None:
        return Section(heading, ("No strategy here is linear in named predictors.",))
    count = len(shown.fit.coefficients)
    effects = figures.draw(
        lambda a: paint_effects(a, shown), height=1.2 + 0.24 * min(count, MOST_EFFECTS)
    )
    parts = [
        (
            f"{shown.name}, fitted on everybody: hazard ratios with 95 % bootstrap intervals "
            "(penalized, so drawn towards 1).",
            effects,
        )
    ]
    text = []
    if count <= MOST_AXES:
        horizons = tuple(h for h, _ in run.best.auc)[:3]
        drawn = figures.draw(
            lambda a: paint_nomogram(a, shown, run.cohort, horizons), height=1.0 + 0.34 * count
        )
        parts.append((f"Nomogram of {shown.name}.", drawn))
    else:
        text.append(f"No nomogram: {count} predictors are too many to read.")
    pooled = rubin_rows(shown, run.cohort)
    tables: list[Table] = []
    if pooled:
        head = ("Predictor", "Hazard ratio pooled by Rubin's rules", "Information missing")
        tables.append((head, *pooled))
    return Section(heading, tuple(text), tuple(tables), tuple(parts))


def _subsets(run: RecipeRun) -> Section:
    tables: list[Table] = []
    if run.subsets:
        tables.append(
            (
                ("Strategy", "Modalities a patient has", "Harrell C"),
                *((name, subset, str(c)) for name, rows in run.subsets for subset, c in rows),
            )
        )
    if run.subgroups:
        tables.append(
            (
                ("Subgroup", "Rows", "Events", f"Harrell C ({run.best.name})"),
                *((label, str(n), str(e), str(c)) for label, n, e, c in run.subgroups),
            )
        )
    text = () if tables else ("One modality and no declared subgroup: nothing to split.",)
    return Section("Subsets of modalities and subgroups", text, tuple(tables))


def _checklist(items: tuple[ChecklistItem, ...]) -> Section:
    head = ("Item", "Topic", "This run")
    open_items = sum(not item.answered for item in items)
    return Section(
        "TRIPOD+AI checklist",
        (f"{len(items) - open_items} of {len(items)} items filled from the run.",),
        ((head, *((i.number, i.topic, i.answer) for i in items)),),
    )
