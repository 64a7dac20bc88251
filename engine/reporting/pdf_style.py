"""Typography and page frame of the PDF report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, Table, TableStyle

from engine.reporting.fonts import BOLD, REGULAR, printable
from engine.values.result import RESEARCH_USE_STATEMENT

INK, ACCENT, MUTED = HexColor("#1b2733"), HexColor("#0f6e66"), HexColor("#5c6b7a")
HAIRLINE, TINT, CAUTION = HexColor("#c9d2da"), HexColor("#eef4f4"), HexColor("#9a4a00")
CAUTION_TINT = HexColor("#fdf3e7")
PAGE_WIDTH, PAGE_HEIGHT = A4
SIDE, TOP, BOTTOM = 16 * mm, 24 * mm, 22 * mm
TEXT_WIDTH = PAGE_WIDTH - 2 * SIDE


STYLES: dict[str, dict[str, object]] = {
    "body": {"fontSize": 8.6, "leading": 12.2, "spaceAfter": 3},
    "small": {"fontSize": 7.2, "leading": 10, "textColor": MUTED, "spaceAfter": 2},
    "cell": {"fontSize": 7.6, "leading": 10},
    "fine": {"fontSize": 6.6, "leading": 8.6},
    "fine-number": {"fontSize": 6.6, "leading": 8.6, "alignment": TA_RIGHT},
    "head": {"fontSize": 7.2, "leading": 9.6, "fontName": BOLD, "textColor": MUTED},
    "number": {"fontSize": 7.6, "leading": 10, "alignment": TA_RIGHT},
    "head-number": {
        "fontSize": 7.2,
        "leading": 9.6,
        "fontName": BOLD,
        "textColor": MUTED,
        "alignment": TA_RIGHT,
    },
    "section": {
        "fontSize": 11,
        "leading": 14,
        "fontName": BOLD,
        "textColor": ACCENT,
        "spaceBefore": 11,
        "spaceAfter": 4,
        "keepWithNext": 1,
    },
    "subsection": {
        "fontSize": 8.8,
        "leading": 12,
        "fontName": BOLD,
        "spaceBefore": 7,
        "spaceAfter": 3,
        "keepWithNext": 1,
    },
    "heading": {
        "fontSize": 11,
        "leading": 14,
        "fontName": BOLD,
        "textColor": ACCENT,
        "spaceBefore": 11,
        "spaceAfter": 4,
    },
    "title": {"fontSize": 17, "leading": 21, "fontName": BOLD, "spaceAfter": 5},
    "lead": {"fontSize": 11, "leading": 15.5, "fontName": BOLD},
}
"""Differences from the report's plain text."""


def style(name: str) -> ParagraphStyle:
    """One of the report's paragraph styles.

    Args:
        name: A key of ``STYLES``.
    """
    base = {"fontName": REGULAR, "textColor": INK, "splitLongWords": 1}
    return ParagraphStyle(name, **(base | STYLES[name]))


def paragraph(text: str, name: str = "body") -> Paragraph:
    """Plain text as a paragraph; markup in it is shown, never obeyed."""
    return Paragraph(escape(printable(text)), style(name))


BARE = TableStyle(
    [
        ("FONTNAME", (0, 0), (-1, -1), REGULAR),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ]
)
"""A table that only places things."""


def heading(text: str, room: float = 90) -> list[Flowable]:
    """A section's title before something that may run over pages.

    Args:
        text: The title.
        room: What must fit below it on the page, in points; else a new page begins.
    """
    return [CondPageBreak(room), paragraph(text, "heading")]


def callout(text: str, name: str = "body", *, caution: bool = False) -> Table:
    """A tinted box with a bar on its left: what must not be overlooked."""
    box = Table([[paragraph(text, name)]], colWidths=[TEXT_WIDTH])
    box.setStyle(
        TableStyle(
            [
                ("FONTNAME", (0, 0), (-1, -1), REGULAR),
                ("BACKGROUND", (0, 0), (-1, -1), CAUTION_TINT if caution else TINT),
                ("LINEBEFORE", (0, 0), (0, -1), 3, CAUTION if caution else ACCENT),
                ("LEFTPADDING", (0, 0), (-1, -1), 10),
                ("TOPPADDING", (0, 0), (-1, -1), 5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
            ]
        )
    )
    return box


def table(
    rows: Sequence[tuple[str | Flowable, ...]],
    widths: tuple[float, ...],
    *,
    numbers_from: int | None = None,
    share: float = 1.0,
    styles: tuple[tuple[object, ...], ...] = (),
) -> Table:
    """A ruled table whose first row repeats on every page.

    Args:
        rows: Cells as plain text or as something to place, heading first.
        widths: Column widths as shares of the text width.
        numbers_from: First column that is aligned right; None for none.
        share: Part of the text width the table takes.
        styles: Further reportlab table styles.
    """
    cells = []
    for index, row in enumerate(rows):
        made: list[Flowable] = []
        for column, cell in enumerate(row):
            if not isinstance(cell, str):
                made.append(cell)
                continue
            right = numbers_from is not None and column >= numbers_from
            kind = ("head-number" if right else "head") if index == 0 else "cell"
            made.append(paragraph(cell, "number" if right and index else kind))
        cells.append(made)
    whole = sum(widths)
    columns = [TEXT_WIDTH * share * width / whole for width in widths]
    made_table = Table(cells, colWidths=columns, repeatRows=1, hAlign="LEFT")
    made_table.setStyle(
        TableStyle(
            [
                ("FONTNAME", (0, 0), (-1, -1), REGULAR),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, MUTED),
                ("LINEBELOW", (0, 1), (-1, -1), 0.35, HAIRLINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                ("TOPPADDING", (0, 0), (-1, -1), 2.2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
                *styles,
            ]
        )
    )
    return made_table


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFrame:
    """What stands on every page: whose report it is, and what it must not be used for."""

    patient_line: str
    made_line: str

    def draw(self, canvas: Canvas, number: int, total: int) -> None:
        """Draw header and footer of one page."""
        canvas.saveState()
        top = PAGE_HEIGHT - 13 * mm
        _text(canvas, (SIDE, top), "HepatoCast  Liver CT analysis", 8.4, INK, BOLD)
        label = "RESEARCH USE ONLY"
        width = canvas.stringWidth(label, BOLD, 8)
        canvas.setFillColor(CAUTION)
        canvas.roundRect(
            PAGE_WIDTH - SIDE - width - 10, top - 4.2, width + 10, 14, 3, stroke=0, fill=1
        )
        _text(canvas, (PAGE_WIDTH - SIDE - width - 5, top), label, 8, white, BOLD)
        _text(canvas, (SIDE, top - 12), self.patient_line, 7.4, MUTED)
        canvas.setStrokeColor(HAIRLINE)
        canvas.setLineWidth(0.6)
        canvas.line(SIDE, top - 17, PAGE_WIDTH - SIDE, top - 17)
        canvas.line(SIDE, 17 * mm, PAGE_WIDTH - SIDE, 17 * mm)
        _text(canvas, (SIDE, 13.2 * mm), RESEARCH_USE_STATEMENT, 7.2, CAUTION, BOLD)
        _text(canvas, (SIDE, 9.4 * mm), self.made_line, 6.8, MUTED)
        place = f"page {number} of {total}"
        right = PAGE_WIDTH - SIDE - canvas.stringWidth(place, REGULAR, 6.8)
        _text(canvas, (right, 9.4 * mm), place, 6.8, MUTED)
        canvas.restoreState()


def _text(
    canvas: Canvas,
    at: tuple[float, float],
    text: str,
    size: float,
    color: Color,
    face: str = REGULAR,
) -> None:
    canvas.setFont(face, size)
    canvas.setFillColor(color)
    canvas.drawString(*at, printable(text))


def numbered_canvas(frame: PageFrame) -> Callable[..., Canvas]:
    """A canvas class that holds pages back until their number is known."""

    class NumberedCanvas(Canvas):  # type: ignore[misc]
        """Draws the frame on every page once the last page is done."""

        def __init__(self, *arguments: object, **options: object) -> None:
            options["initialFontName"] = REGULAR  # or every page would ask for Helvetica
            super().__init__(*arguments, **options)
            self._pages: list[dict[str, object]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                frame.draw(self, number, len(self._pages))
                super().showPage()
            super().save()

    return NumberedCanvas
