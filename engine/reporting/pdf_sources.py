"""Sections of the PDF that tell where it comes from: series, model, limits."""

from reportlab.platypus import Flowable, KeepTogether

from engine.reporting.pdf_style import heading, paragraph, table
from engine.reporting.wording import short_uid
from engine.values.result import RESEARCH_USE_STATEMENT, AnalysisResult


def series_table(result: AnalysisResult) -> list[Flowable]:
    """Which series were used or refused, and why."""
    if not result.series_decisions:
        return []
    rows = [("Series", "Description", "Phase", "Role", "Reason")]
    rows += [
        (
            short_uid(decision.series_instance_uid),
            decision.description or "–",
            decision.phase.value,
            decision.role,
            decision.reason,
        )
        for decision in result.series_decisions
    ]
    parts: list[Flowable] = [
        *heading("Series of the study"),
        table(rows, (1.2, 1.8, 1.1, 0.9, 3.4)),
    ]
    parts += [paragraph(f"Volume: {note}", "small") for note in result.reference.notes]
    return [*parts, *_registrations(result)]


def _registrations(result: AnalysisResult) -> list[Flowable]:
    """How well each further phase fits the reference phase, or why it was not used."""
    if not result.registrations:
        return []
    rows: list[tuple[str | Flowable, ...]] = [("Phase", "Edge correlation", "Largest shift", "Use")]
    for fit in result.registrations:
        before, after = fit.edge_correlation_before, fit.edge_correlation
        known = before is not None and after is not None
        shift = fit.largest_shift_mm
        rows.append(
            (
                fit.phase.value,
                f"{before:.2f} to {after:.2f}" if known else "–",
                "–" if shift is None else f"{shift:.1f} mm",
                f"not used: {fit.refusal}" if fit.refusal else "features taken",
            )
        )
    title = "Registration of the phases to the reference phase"
    return [KeepTogether([paragraph(title, "subsection"), table(rows, (1.3, 2.2, 1.2, 3.7))])]


def provenance(result: AnalysisResult) -> list[Flowable]:
    """Model, software, device, limits, statement."""
    model, device = result.model, result.device
    facts = [
        ("What", "Which"),
        ("Model package", f"{model.name} {model.version}"),
        ("Package SHA-256", model.sha256),
        ("Intended use", model.intended_use),
        ("Software", f"HepatoCast {result.context.software_version}"),
        (
            "Computed on",
            f"{device.execution_provider}, onnxruntime {device.onnxruntime_version}"
            + (f", {device.description}" if device.description else "")
            + f" (requested: {device.requested})",
        ),
        ("Job", result.context.job_id),
        ("Reference series", result.reference.series.series_instance_uid),
    ]
    facts += [("Supersedes", p.sop_instance_uid) for p in result.context.predecessors]
    return [
        KeepTogether(
            [
                paragraph("Limits", "section"),
                *(paragraph(f"• {limit}") for limit in model.limits),
                paragraph(f"• {RESEARCH_USE_STATEMENT}"),
            ]
        ),
        KeepTogether([paragraph("Model and software", "section"), table(facts, (1.2, 4.8))]),
    ]
