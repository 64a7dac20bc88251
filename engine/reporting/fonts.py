"""The one typeface of all reports: Bitstream Vera, which travels with reportlab.

The same file serves Pillow and the PDF (embedded as a subset), so a report looks the same
on a machine without any font installed.
"""

from functools import cache
from pathlib import Path

import reportlab
from PIL import ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD, ITALIC = "Vera", "VeraBd", "VeraIt"


def font_path(face: str) -> Path:
    """File of a face."""
    return Path(reportlab.__file__).parent / "fonts" / f"{face}.ttf"


@cache
def pillow_font(face: str, size: int) -> ImageFont.FreeTypeFont:
    """A face for Pillow, in pixels."""
    return ImageFont.truetype(str(font_path(face)), size)


@cache
def register_pdf_fonts() -> frozenset[int]:
    """Make the faces known to reportlab; return the characters they can show."""
    for face in (REGULAR, BOLD, ITALIC):
        pdfmetrics.registerFont(TTFont(face, str(font_path(face))))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC)
    return frozenset(TTFont(REGULAR, str(font_path(REGULAR))).face.charToGlyph)


def printable(text: str) -> str:
    """Text with every character the typeface lacks shown as a question mark."""
    known = register_pdf_fonts()
    return "".join(c if ord(c) in known else "?" for c in text)
