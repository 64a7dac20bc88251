"""Sections of the PDF that tell where it comes from: scores, values, series, model, limits."""

from reportlab.platypus import Flowable, KeepTogether, Spacer

from engine.reporting.feature_choice import choose_features
from engine.reporting.pdf_charts import FeatureChart
from engine.reporting.pdf_style import TEXT_WIDTH, paragraph, table
from engine.reporting.wording import short_uid
from engine.values.result import RESEARCH_USE_STATEMENT, AnalysisResult

KEY_FEATURES = {
    "RNU0": "Volume (mesh), mm³",
    "QCFX": "Sphericity",
    "Q3CK": "Elongation",
    "N17B": "Flatness",
    "Q4LE": "Mean intensity, HU",
    "ECT3": "Intensity variance, HU²",
    "KE2A": "Intensity skewness",
    "IPH6": "Intensity kurtosis",
    "TLU2": "Histogram entropy, bit",
    "BJ5W": "Histogram uniformity",
}
MAXIMUM_CHARTED = 5


def radiomics(result: AnalysisResult) -> list[Flowable]:
    """Key features of the lesions in the reference phase, side by side."""
    by_code: dict[str, list[tuple[int, float]]] = {}
    for lesion in result.findings.lesions[:MAXIMUM_CHARTED]:
        for code, feature in choose_features(result, f"lesion {lesion.number}").items():
            by_code.setdefault(code, []).append((lesion.number, feature.value))
    rows = [(name, by_code[code]) for code, name in KEY_FEATURES.items() if code in by_code]
    if not rows:
        return []
    total = sum(len(features.features) for features in result.features)
    note = f"{total} features in all, with IBSI codes and settings, are in features.json."
    return [
        KeepTogether(
            [
                paragraph("Radiomics: key features", "section"),
                FeatureChart(rows, TEXT_WIDTH),
                Spacer(1, 3),
                paragraph(note, "small"),
            ]
        )
    ]


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
