"""A nomogram as vector graphic for the PDF (reportlab) and as picture for Secondary Capture."""

import io

from PIL import Image, ImageDraw
from reportlab.graphics import renderPDF
from reportlab.graphics.shapes import Circle, Drawing, Line, String
from reportlab.lib.colors import Color as PdfColor

from engine.reporting.fonts import REGULAR, pillow_font, printable, register_pdf_fonts
from engine.reporting.nomogram_layout import (
    BLACK,
    GRAY,
    RED,
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


def nomogram_drawing(nomogram: Nomogram, width: float | None = None) -> Drawing:
    """The nomogram as a reportlab drawing (vector; a Flowable too), scaled to a width."""
    register_pdf_fonts()
    layout = lay_out(nomogram)
    drawing = Drawing(layout.width, layout.height)
    for mark in layout.marks:
        drawing.add(_shape(mark, layout.height))
    if width is not None:
        scale = width / layout.width
        drawing.width, drawing.height = width, layout.height * scale
        drawing.scale(scale, scale)
    return drawing


def nomogram_pdf(nomogram: Nomogram) -> bytes:
    """The nomogram as a one-page PDF of its own size."""
    content: bytes = renderPDF.drawToString(nomogram_drawing(nomogram), nomogram.title)
    return content


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


def _shape(mark: Stroke | Words | Dot, height: float) -> Line | String | Circle:
    """A mark as a reportlab shape; reportlab's y grows upwards."""
    color = PdfColor(*mark.color)
    match mark:
        case Stroke():
            return Line(
                mark.x1,
                height - mark.y1,
                mark.x2,
                height - mark.y2,
                strokeColor=color,
                strokeWidth=0.7,
            )
        case Words():
            return String(
                mark.x,
                height - mark.y,
                printable(mark.text),
                fontName=REGULAR,
                fontSize=mark.size,
                textAnchor=mark.anchor,
                fillColor=color,
            )
        case Dot():
            return Circle(mark.x, height - mark.y, mark.radius, fillColor=color, strokeColor=color)


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
