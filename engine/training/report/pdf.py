"""The report as PDF."""

from html import escape
from io import BytesIO

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import (
    CondPageBreak,
    Image,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)
from reportlab.platypus import Table as PdfTable

from engine.training.report.content import Section, Table
from engine.training.report.figures import to_png

WIDTH = A4[0] - 36 * mm
ROOM_BELOW_HEADING = 60 * mm


def to_pdf(sections: tuple[Section, ...], *, statement: str) -> bytes:
    """PDF bytes, the same for the same sections."""
    stream = BytesIO()
    document = SimpleDocTemplate(
        stream,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=16 * mm,
        title=sections[0].heading,
        invariant=1,
    )
    styles = getSampleStyleSheet()
    heading = ParagraphStyle("heading", parent=styles["Heading2"], keepWithNext=1)
    small = ParagraphStyle("small", parent=styles["BodyText"], fontSize=7.5, leading=9.5)
    story = [Paragraph(f"<b>{escape(statement)}</b>", small), Spacer(1, 4 * mm)]
    for number, section in enumerate(sections):
        style = styles["Title"] if number == 0 else heading
        story += [CondPageBreak(ROOM_BELOW_HEADING), Paragraph(escape(section.heading), style)]
        story += [Paragraph(escape(text), styles["BodyText"]) for text in section.paragraphs]
        for table in section.tables:
            story += [Spacer(1, 2 * mm), _table(table, small)]
        for caption, figure in section.figures:
            story.append(KeepTogether([_image(to_png(figure)), Paragraph(escape(caption), small)]))
    document.build(story)
    return stream.getvalue()


def _image(content: bytes) -> Image:
    image = Image(BytesIO(content))
    scale = min(WIDTH * 0.8 / image.imageWidth, 1.0)
    image.drawWidth, image.drawHeight = image.imageWidth * scale, image.imageHeight * scale
    return image


def _need(cell: str) -> float:
    """Width a cell asks for, in characters: its longest word whole, the rest may wrap."""
    word = max((len(w) for w in cell.split()), default=0)
    return max(1.25 * word + 3.5, 0.6 * min(len(cell), 60) + 3.0)


def _table(table: Table, style: ParagraphStyle) -> PdfTable:
    longest = [max(_need(row[k]) for row in table) for k in range(len(table[0]))]
    widths = [WIDTH * size / sum(longest) for size in longest]
    cells = [[Paragraph(escape(cell), style) for cell in row] for row in table]
    return PdfTable(
        cells,
        colWidths=widths,
        repeatRows=1,
        style=TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.lightgrey),
                ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        ),
    )
