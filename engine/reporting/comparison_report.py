"""A follow-up as result.json and a PDF; no patient attribute in the JSON, as everywhere."""

import io
from dataclasses import asdict

from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Spacer

from engine.reporting.fonts import register_pdf_fonts
from engine.reporting.identity import MANUFACTURER
from engine.reporting.pdf_style import (
    BOTTOM,
    PAGE_HEIGHT,
    SIDE,
    TEXT_WIDTH,
    TOP,
    PageFrame,
    numbered_canvas,
    paragraph,
    table,
)
from engine.reporting.person_names import format_name
from engine.reporting.report_file import ReportFile, ReportKind
from engine.reporting.result_json import RESULT_NAME, SCHEMA_VERSION, encode_json
from engine.values.followup import Comparison, LesionGroup, MarkerTrend, ResponseAssessment
from engine.values.identity import PatientIdentity
from engine.values.provenance import AnalysisContext
from engine.values.result import RESEARCH_USE_STATEMENT

TITLE = "Liver CT follow-up (research use only)"


def group_words(group: LesionGroup) -> tuple[str, str, str, str, str]:
    """One row: lesions before, lesions now, what became of them, sizes, target or not."""
    before = "+".join(str(le.number) for le in group.baseline) or "–"
    now = "+".join(str(le.number) for le in group.followup) or "–"
    sizes = " + ".join(f"{le.long_axis_mm:.1f}" for le in group.baseline) or "–"
    sizes_now = " + ".join(f"{le.long_axis_mm:.1f}" for le in group.followup) or "–"
    volumes = sum(le.volume_ml for le in group.baseline), sum(le.volume_ml for le in group.followup)
    size = f"{sizes} to {sizes_now} mm; {volumes[0]:.1f} to {volumes[1]:.1f} mL"
    return before, now, group.course.value, size, "target" if group.is_target else ""


def assessment_sentence(found: ResponseAssessment) -> str:
    """Sums, changes and categories of one set of criteria."""
    parts = [f"{found.criteria}: {found.overall.value}"]
    if found.baseline_sum_mm is not None and found.followup_sum_mm is not None:
        parts.append(f"sum {found.baseline_sum_mm:.1f} to {found.followup_sum_mm:.1f} mm")
    if found.change_from_baseline is not None:
        parts.append(f"{found.change_from_baseline:+.1%} from baseline")
    if found.change_from_nadir is not None and found.nadir_sum_mm is not None:
        nadir = f"{found.nadir_sum_mm:.1f} mm"
        parts.append(f"{found.change_from_nadir:+.1%} from the smallest sum {nadir}")
    parts.append(f"targets {found.target.value}, non-targets {found.non_target.value}")
    return "; ".join(parts) + "."


def marker_sentence(trend: MarkerTrend) -> str:
    """One laboratory value then and now."""
    told = f"{trend.analyte.upper()} {trend.baseline:g} to {trend.followup:g} {trend.unit}"
    if trend.change is not None:
        told += f" ({trend.change:+.0%})"
    if trend.doubling_days is not None:
        told += f", doubling in {trend.doubling_days:.0f} days"
    return told + "."


def comparison_sentences(comparison: Comparison) -> tuple[str, ...]:
    """The whole follow-up in lines, for terminals and viewers."""
    lines = [
        f"Lesion {before} -> {now}: {course}, {size}{f' ({role})' if role else ''}"
        for before, now, course, size, role in map(group_words, comparison.groups)
    ] or ["No lesion at either examination."]
    for found in comparison.assessments:
        lines.append(assessment_sentence(found))
        lines += [f"  {rule}" for rule in found.rules]
        lines += [f"  not decided: {told}" for told in found.undecided]
    lines += [marker_sentence(trend) for trend in comparison.markers]
    lines += [
        f"{p.outcome} ({p.package}): {p.risk_group} risk, percentile {p.percentile:.0f}"
        for p in comparison.predictions
    ]
    lines += [f"Not computed: {r.name}: {r.reason}" for r in comparison.refusals]
    lines.append(f"Registered {comparison.alignment}.")
    return (*lines, *(f"! {warning}" for warning in comparison.warnings))


def compose_comparison(
    comparison: Comparison, patient: PatientIdentity, context: AnalysisContext
) -> tuple[ReportFile, ...]:
    """Make the files of a follow-up: the PDF and, last, result.json."""
    pdf = _pdf(comparison, patient, context)
    document = {
        "schema_version": SCHEMA_VERSION,
        "status": "compared",
        "research_use_statement": RESEARCH_USE_STATEMENT,
        "job_id": context.job_id,
        "created_at": context.created_at,
        "software": {"name": MANUFACTURER, "version": context.software_version},
        "comparison": asdict(comparison),
        "files": [{"name": pdf.name, "kind": pdf.kind, "sha256": pdf.sha256}],
    }
    return pdf, encode_json(RESULT_NAME, document)


def _pdf(comparison: Comparison, patient: PatientIdentity, context: AnalysisContext) -> ReportFile:
    register_pdf_fonts()
    rl_config.useA85 = 0
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer, pagesize=A4, title=TITLE, author=MANUFACTURER, invariant=1, lang="en-US"
    )
    height = PAGE_HEIGHT - TOP - BOTTOM
    frame = Frame(SIDE, BOTTOM, TEXT_WIDTH, height, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate(id="page", frames=[frame])])
    name = format_name(patient.patient_name) or "name unknown"
    page = PageFrame(
        patient_line=f"{name}   ID {patient.patient_id or 'no patient ID'}   {_days(comparison)}",
        made_line=f"HepatoCast {context.software_version}   job {context.job_id[:24]}",
    )
    document.build(_story(comparison), canvasmaker=numbered_canvas(page))
    return ReportFile(name="report.pdf", kind=ReportKind.PDF, content=buffer.getvalue())


def _days(comparison: Comparison) -> str:
    days = [point.day.isoformat() if point.day else "no date"
            for point in (comparison.baseline, comparison.followup)]  # fmt: skip
    return f"{days[0]} and {days[1]}"


def _story(comparison: Comparison) -> list[Flowable]:
    one, two = comparison.baseline, comparison.followup
    rows = [("Baseline", "Follow-up", "Course", "Long axes and volumes", "Role")]
    rows += [group_words(group) for group in comparison.groups]
    parts: list[Flowable] = [
        paragraph("Liver CT follow-up", "title"),
        paragraph(
            f"Examinations of {_days(comparison)}: liver {one.liver_ml:.0f} to {two.liver_ml:.0f} "
            f"mL, tumor {one.tumor_ml:.1f} to {two.tumor_ml:.1f} mL."
        ),
        *(paragraph(f"Warning: {warning}") for warning in comparison.warnings),
        paragraph("Lesions", "section"),
        table(rows, (0.8, 0.8, 1.2, 3.4, 0.7)),
        Spacer(1, 3),
        paragraph(f"Laid on each other {comparison.alignment}.", "small"),
    ]
    for found in comparison.assessments:
        parts += [
            paragraph(found.criteria.split(" (")[0], "section"),
            paragraph(assessment_sentence(found)),
            *(paragraph(f"• {rule}", "small") for rule in found.rules),
            *(paragraph(f"• Not decided: {told}", "small") for told in found.undecided),
        ]
    if comparison.markers:
        parts.append(paragraph("Laboratory", "section"))
        parts += [paragraph(marker_sentence(trend)) for trend in comparison.markers]
    if comparison.predictions:
        parts.append(paragraph("Risk from values over time", "section"))
        parts += [
            paragraph(f"{p.outcome} ({p.package}): {p.risk_group} risk, {p.percentile:.0f}th "
                      "percentile of the development cohort.")
            for p in comparison.predictions
        ]  # fmt: skip
    parts += [paragraph(f"Not computed: {r.name}: {r.reason}") for r in comparison.refusals]
    return [*parts, Spacer(1, 6), paragraph(RESEARCH_USE_STATEMENT, "small")]
