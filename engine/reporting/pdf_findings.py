"""Sections of the PDF that tell what was found: patient, pictures, lesions, burden, risk."""

from reportlab.platypus import Flowable, KeepTogether, Spacer, Table

from engine.reporting.attributes import legal_text
from engine.reporting.key_images import (
    Viewer,
    lesion_close_up,
    lesion_scenes,
    liver_scenes,
)
from engine.reporting.palette import lesion_color
from engine.reporting.pdf_scene import SceneFlowable, to_color
from engine.reporting.pdf_style import BARE, TEXT_WIDTH, callout, paragraph, table
from engine.reporting.person_names import format_name
from engine.reporting.scene import Scene
from engine.reporting.wording import (
    BURDEN_ASSUMPTION,
    LESION_HEADINGS,
    LESION_MEANING,
    criteria_rows,
    findings_sentence,
    lesion_row,
)
from engine.values.lesion import Lesion
from engine.values.result import AnalysisResult

LESION_SHARES = (0.46, 0.335, 0.205)
LESION_HEIGHT = 186.0
SMALL_TEXT = 5.5


def format_date(date: str) -> str:
    """A DICOM date as year-month-day; a dash when there is none."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else "–"


def identification(result: AnalysisResult) -> list[Flowable]:
    """Title, patient and study."""
    header, volume = result.reference.headers[0], result.reference
    name, sex = legal_text(header, "PatientName"), legal_text(header, "PatientSex")
    shape, spacing = volume.geometry.shape, volume.geometry.spacing
    pairs = (
        ("Patient", format_name(name) or "–"),
        ("Patient ID", legal_text(header, "PatientID") or "–"),
        ("Born", format_date(legal_text(header, "PatientBirthDate"))),
        ("Sex", sex or "–"),
        ("Study", legal_text(header, "StudyDescription") or "–"),
        ("Study date", format_date(legal_text(header, "StudyDate"))),
        ("Accession", legal_text(header, "AccessionNumber") or "–"),
        ("Analyzed", result.context.created_at.strftime("%Y-%m-%d %H:%M %z")),
        ("Series", f"{volume.series.series_number or '–'}, {volume.series.phase.value}"),
        (
            "Volume",
            f"{shape[2]} × {shape[1]} × {shape[0]}, {spacing.column_mm:.2f} × "
            f"{spacing.row_mm:.2f} × {spacing.slice_mm:.2f} mm",
        ),
    )
    cells = [
        [cell for name, value in pairs[i : i + 2] for cell in (name, value)]
        for i in range(0, len(pairs), 2)
    ]
    made = [
        [paragraph(cell, "head" if i % 2 == 0 else "cell") for i, cell in enumerate(row)]
        for row in cells
    ]
    widths = [TEXT_WIDTH * share for share in (0.12, 0.38, 0.12, 0.38)]
    block = Table(made, colWidths=widths, style=BARE, spaceAfter=8)
    return [paragraph("Liver CT analysis", "title"), block]


def summary(result: AnalysisResult) -> list[Flowable]:
    """The finding in one sentence, and the warnings of the analysis."""
    box = callout(findings_sentence(result), "lead")
    parts: list[Flowable] = [box, Spacer(1, 5), paragraph(LESION_MEANING, "small")]
    parts += [callout(f"Warning: {warning}", caution=True) for warning in result.warnings]
    parts += [Spacer(1, 4)] if result.warnings else []
    return parts


def _picture_row(scenes: tuple[Scene, Scene, Scene], height: float) -> Table:
    """The measured plane large, the two others stacked beside it."""
    left, right = TEXT_WIDTH * 0.62, TEXT_WIDTH * 0.36
    main = SceneFlowable(scenes[0], left, height)
    beside = _stacked(scenes[1:], right, height)
    return Table([[main, beside]], colWidths=[left + TEXT_WIDTH * 0.02, right], style=BARE)


def _stacked(scenes: tuple[Scene, ...], width: float, height: float) -> Table:
    pictures = [
        [SceneFlowable(scene, width, height / len(scenes) - 2, SMALL_TEXT)] for scene in scenes
    ]
    return Table(pictures, colWidths=[width], style=BARE)


def _lesion_row(viewer: Viewer, lesion: Lesion) -> Table:
    """Where a lesion lies, what was measured on it, how it looks in the other planes."""
    scenes = lesion_scenes(viewer, lesion)
    widths = [TEXT_WIDTH * share for share in LESION_SHARES]
    inner = [width - 5 for width in widths]
    cells = [
        SceneFlowable(scenes[0], inner[0], LESION_HEIGHT, 7),
        SceneFlowable(lesion_close_up(viewer, lesion), inner[1], LESION_HEIGHT, 7),
        _stacked(scenes[1:], inner[2], LESION_HEIGHT),
    ]
    return Table([cells], colWidths=widths, style=BARE)


def key_images(result: AnalysisResult, viewer: Viewer, maximum: int) -> list[Flowable]:
    """Pictures of the largest lesions; of the liver when there is none."""
    lesions = result.findings.lesions[:maximum]
    if not lesions:
        title = paragraph("Key images: liver where it is largest", "section")
        return [KeepTogether([title, _picture_row(liver_scenes(viewer), 260)])]
    parts: list[Flowable] = []
    for lesion in lesions:
        row = lesion_row(lesion)
        told = f"{lesion.tracking_id}: {row[1]} × {row[2]}, {row[4]}"
        pictures = _lesion_row(viewer, lesion)
        parts.append(KeepTogether([paragraph(told, "section"), pictures, Spacer(1, 2)]))
    if len(result.findings.lesions) > len(lesions):
        rest = len(result.findings.lesions) - len(lesions)
        parts.append(paragraph(f"{rest} smaller lesions have no picture; see the table.", "small"))
    return parts


def lesion_table(result: AnalysisResult) -> list[Flowable]:
    """All lesions with what was measured on them."""
    lesions = result.findings.lesions
    if not lesions:
        return []
    rows = [LESION_HEADINGS, *(lesion_row(lesion) for lesion in lesions)]
    colors = (
        ("LEFTPADDING", (0, 0), (0, -1), 9),
        *(
            ("LINEBEFORE", (0, i), (0, i), 3, to_color(lesion_color(lesion.number)))
            for i, lesion in enumerate(lesions, 1)
        ),
    )
    note = (
        "Long axis: longest diameter on one acquired slice (RECIST 1.1); short axis: longest "
        "perpendicular on that slice. Confidence: mean tumor probability of the model inside "
        "the lesion, not a probability of cancer."
    )
    return [
        paragraph("Lesions", "section"),
        table(rows, (0.6, 1.2, 1.2, 1.2, 1.1, 1.0, 1.2, 1.2), numbers_from=1, styles=colors),
        Spacer(1, 3),
        paragraph(note, "small"),
    ]


def burden(result: AnalysisResult) -> list[Flowable]:
    """Tumor burden and the size-and-number criteria with their assumption."""
    if not result.findings.lesions:
        return []
    found = result.findings.burden
    told = (
        f"Number {found.number}; largest {found.largest_mm:.1f} mm; sum of long axes "
        f"{found.sum_mm:.1f} mm; tumor {found.total_volume_ml:.1f} mL of "
        f"{found.liver_volume_ml:.0f} mL liver ({found.tumor_fraction:.1%})."
    )
    rows = [("Criterion", "Outcome", "Rule"), *criteria_rows(found)]
    block = [
        paragraph("Tumor burden and criteria", "section"),
        paragraph(told),
        table(rows, (1.4, 1.0, 4.2)),
        Spacer(1, 3),
        paragraph(BURDEN_ASSUMPTION, "small"),
    ]
    return [KeepTogether(block)]
