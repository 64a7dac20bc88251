"""The report of a package judged on other patients."""

from engine.training.external import Evaluation, ModelEvaluation
from engine.training.judging import Judgement
from engine.training.report import figures
from engine.training.report.content import Section, Table, calibration_table


def evaluation_sections(found: Evaluation) -> tuple[Section, ...]:
    """All sections; the first one only when no model could be judged."""
    package = found.package
    identity = package.identity
    head = Section(
        f"{identity.name} {identity.version} on other patients",
        (
            f"{package.outcome}, counted from {package.origin}. Table: {found.table}.",
            f"Development cohort: {package.cohort}",
            *found.remarks,
        ),
    )
    if not found.models:
        return (head,)
    judgements = [m.judgement for m in found.models]
    return (
        head,
        _discrimination(found.models, judgements),
        _calibration(judgements),
        _decision(judgements),
        _splits(found.models),
        _centers(found.models),
    )


def _discrimination(models: tuple[ModelEvaluation, ...], judgements: list[Judgement]) -> Section:
    head = ("Model", "Patients", "Refused", "Events", "Harrell C", "Uno C", "Brier skill", "Slope")
    rows = [
        (
            m.name, str(m.judgement.patients), str(m.refused), str(m.judgement.events),
            str(m.judgement.harrell), f"{m.judgement.uno} (τ {m.judgement.tau:g})",
            str(m.judgement.skill), f"{m.slope:.2f}",
        )
        for m in models
    ]  # fmt: skip
    height = 1.4 + 0.32 * len(models)
    return Section(
        "Discrimination",
        tuple(sorted({j.refused_horizons for j in judgements if j.refused_horizons})),
        ((head, *rows),),
        (
            (
                "Concordance with 95 % bootstrap intervals.",
                figures.draw(lambda a: figures.paint_forest(a, judgements), height=height),
            ),
            (
                "Cumulative/dynamic AUC at the horizons.",
                figures.draw(lambda a: figures.paint_auc(a, judgements)),
            ),
        ),
    )


def _calibration(judgements: list[Judgement]) -> Section:
    first = judgements[0]
    return Section(
        "Calibration",
        tables=(calibration_table(judgements),),
        figures=(
            (
                f"{first.name}: smoothed curves, dots are fifths of predicted risk.",
                figures.draw(lambda a: figures.paint_calibration(a, first), height=5.2),
            ),
        ),
    )


def _decision(judgements: list[Judgement]) -> Section:
    first = judgements[0]
    horizon = first.decisions[min(1, len(first.decisions) - 1)][0]
    able = [j for j in judgements if horizon in dict(j.decisions)]
    return Section(
        "Decision curve",
        figures=(
            (
                f"Net benefit, corrected for censoring; band: 95 % interval of {first.name}.",
                figures.draw(lambda a: figures.paint_decision(a, able, horizon, first)),
            ),
        ),
    )


def _splits(models: tuple[ModelEvaluation, ...]) -> Section:
    rows = [(m.name, f"only {subset}", "", "", str(c)) for m in models for subset, c in m.subsets]
    rows += [
        (m.name, label, str(n), str(e), str(c)) for m in models for label, n, e, c in m.subgroups
    ]
    tables: list[Table] = []
    if rows:
        tables.append((("Model", "Modalities or subgroup", "Patients", "Events", "C"), *rows))
    against = [
        (m.name, r.name, str(r.patients), str(r.difference), f"{r.total} by {r.horizon:g} months")
        for m in models
        for r in m.references
    ]
    if against:
        head = ("Model", "Against", "Patients", "C minus its C", "Reclassification")
        tables.append((head, *against))
    bounds = [
        (m.name, f"{100 * confidence:.0f} %", f"{100 * share:.1f} %")
        for m in models
        for confidence, share in m.coverage
    ]
    if bounds:
        tables.append((("Model", "Lower bound promised", "Patients who outlived it"), *bounds))
    text = () if tables else ("No subset, subgroup, reference or bound to judge.",)
    return Section("Subsets, subgroups, published scores, lower bounds", text, tuple(tables))


def _centers(models: tuple[ModelEvaluation, ...]) -> Section:
    rows = [
        (
            m.name, c.center, str(c.patients), str(c.events),
            *(
                (c.remark, "", "", "", "")
                if c.remark
                else (
                    f"{c.concordance:.3f}", f"{c.slope:.2f}", f"{c.intercept:+.2f}",
                    f"{c.ici:.3f}", f"{c.ici_recalibrated:.3f}",
                )
            ),
        )
        for m in models
        for c in m.centers
    ]  # fmt: skip
    if not rows:
        return Section("Centers", ("The table names no centers (column center).",))
    head = (
        "Model",
        "Center",
        "Patients",
        "Events",
        "C",
        "Slope",
        "Intercept",
        "ICI",
        "recalibrated",
    )
    note = (
        "Recalibration is measured on the patients its two numbers came from: it shows what is "
        "possible, not what a center will get."
    )
    return Section("Centers", (note,), ((head, *rows),))
