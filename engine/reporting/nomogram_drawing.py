"""A nomogram as vector graphic for the PDF (reportlab) and as picture for Secondary Capture."""

import io

from PIL import Image, ImageDraw
from reportlab.lib.colors import Color as PdfColor
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from engine.reporting.fonts import REGULAR, pillow_font, printable, register_pdf_fonts
from engine.reporting.nomogram_layout import (
    BLACK,
    GRAY,
    RED,
    WIDTH,
    Color,
    Dot,
    Stroke,
    Words,
    lay_out,
)
from engine.values.nomogram import Nomogram

_OVERSAMPLING = 2
_WHITE: Color = (1.0, 1.0, 1.0)
_ON_BLACK: dict[Color, Color] = {
    BLACK: (0.92, 0.93, 0.94),
    GRAY: (0.6, 0.64, 0.68),
    RED: (1.0, 0.77, 0.0),
}
"""Colors for reading rooms, where a white page blinds."""


class NomogramFlowable(Flowable):  # type: ignore[misc]
    """The nomogram as vectors on a PDF page, scaled to a width."""

    def __init__(self, nomogram: Nomogram, width: float = WIDTH) -> None:
        super().__init__()
        self.layout = lay_out(nomogram)
        self.scale = width / self.layout.width
        self.width, self.height = width, self.layout.height * self.scale

    def wrap(self, *_: float) -> tuple[float, float]:
        """The size is fixed at birth."""
        return self.width, self.height

    def draw(self) -> None:
        """Every mark; a PDF's y grows upwards."""
        canvas: Canvas = self.canv
        canvas.saveState()
        canvas.scale(self.scale, self.scale)
        canvas.setLineWidth(0.7)
        for mark in self.layout.marks:
            _draw(canvas, mark, self.layout.height)
        canvas.restoreState()


def nomogram_pdf(nomogram: Nomogram) -> bytes:
    """The nomogram as a one-page PDF of its own size."""
    register_pdf_fonts()
    flowable, buffer = NomogramFlowable(nomogram), io.BytesIO()
    size = (flowable.width, flowable.height)
    canvas = Canvas(buffer, pagesize=size, initialFontName=REGULAR, invariant=1)
    canvas.setTitle(nomogram.title)
    flowable.drawOn(canvas, 0, 0)
    canvas.save()
    return buffer.getvalue()


def nomogram_png(nomogram: Nomogram, width_px: int = 1024) -> bytes:
    """The nomogram as PNG (RGB, white ground) of a given width."""
    picture = nomogram_picture(nomogram, width_px)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def nomogram_picture(
    nomogram: Nomogram, width_px: int = 1024, *, dark: bool = False
) -> Image.Image:
    """The nomogram as an RGB picture of a given width, anti-aliased; light lines when dark."""
    layout = lay_out(nomogram)
    scale = width_px * _OVERSAMPLING / layout.width
    size = (width_px * _OVERSAMPLING, round(layout.height * scale))
    picture = Image.new("RGB", size, _rgb((0.0, 0.0, 0.0) if dark else _WHITE))
    pen = ImageDraw.Draw(picture)
    for mark in layout.marks:
        _paint(pen, mark, scale, _rgb(_ON_BLACK[mark.color] if dark else mark.color))
    height = round(layout.height * width_px / layout.width)
    return picture.resize((width_px, height), Image.Resampling.LANCZOS)


def _draw(canvas: Canvas, mark: Stroke | Words | Dot, height: float) -> None:
    color = PdfColor(*mark.color)
    match mark:
        case Stroke():
            canvas.setStrokeColor(color)
            canvas.line(mark.x1, height - mark.y1, mark.x2, height - mark.y2)
        case Words():
            canvas.setFillColor(color)
            canvas.setFont(REGULAR, mark.size)
            write = canvas.drawCentredString if mark.anchor == "middle" else canvas.drawString
            write(mark.x, height - mark.y, printable(mark.text))
        case Dot():
            canvas.setFillColor(color)
            canvas.circle(mark.x, height - mark.y, mark.radius, stroke=0, fill=1)


def _paint(
    pen: ImageDraw.ImageDraw,
    mark: Stroke | Words | Dot,
    scale: float,
    color: tuple[int, int, int],
) -> None:
    match mark:
        case Stroke():
            ends = [(mark.x1 * scale, mark.y1 * scale), (mark.x2 * scale, mark.y2 * scale)]
            pen.line(ends, fill=color, width=max(1, round(0.7 * scale)))
        case Words():
            font = pillow_font(REGULAR, round(mark.size * scale))
            anchor = "ms" if mark.anchor == "middle" else "ls"
            at = (mark.x * scale, mark.y * scale)
            pen.text(at, printable(mark.text), color, font, anchor)
        case Dot():
            x, y, r = mark.x * scale, mark.y * scale, mark.radius * scale
            pen.ellipse((x - r, y - r, x + r, y + r), fill=color)


def _rgb(color: Color) -> tuple[int, int, int]:
    red, green, blue = (round(255 * part) for part in color)
    return red, green, blue
