"""Sections of the PDF that tell where it comes from: series, model, limits."""

from reportlab.platypus import Flowable, KeepTogether

from engine.reporting.pdf_style import paragraph, table
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
        paragraph("Series of the study", "section"),
        table(rows, (1.2, 1.8, 1.1, 0.9, 3.4)),
    ]
    parts += [paragraph(f"Volume: {note}", "small") for note in result.reference.notes]
    return parts


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
