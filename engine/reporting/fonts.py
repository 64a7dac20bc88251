"""The one typeface of all reports: Bitstream Vera, which travels with reportlab.

The same file serves Pillow and the PDF (embedded as a subset), so a report looks the same
on a machine without any font installed.
"""

import unicodedata
from functools import cache
from pathlib import Path

import reportlab
from anyascii import anyascii
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
def register_pdf_fonts() -> None:
    """Make the faces known to reportlab."""
    for face in (REGULAR, BOLD, ITALIC):
        pdfmetrics.registerFont(TTFont(face, str(font_path(face))))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC)


@cache
def known_characters() -> frozenset[int]:
    """Code points that regular and bold faces both show."""
    register_pdf_fonts()
    faces = (pdfmetrics.getFont(face).face.charToGlyph for face in (REGULAR, BOLD))
    return frozenset.intersection(*map(frozenset, faces))


def is_printable(text: str) -> bool:
    """Tell whether the typeface shows every character of a text."""
    return all(ord(c) in known_characters() for c in unicodedata.normalize("NFC", text))


def printable(text: str) -> str:
    """Text as the typeface can show it; never a question mark for what it lacks.

    A Latin letter loses the accent that the typeface lacks (ř → r). A run of any other script
    is transliterated and stands in ‹ ›, so that nobody takes it for the original; what has no
    transliteration is told by its code point.
    """
    shown, run = [], ""
    for character in unicodedata.normalize("NFC", text):
        plain = _shown(character)
        if not plain:
            run += character
            continue
        shown += [_transliterated(run), plain]
        run = ""
    return "".join([*shown, _transliterated(run)])


def _shown(character: str) -> str:
    """A character, or the Latin letter under its accents; empty when neither can be shown."""
    if ord(character) in known_characters() or character in "\n\t":
        return character
    base = unicodedata.normalize("NFD", character)[0]
    return base if base.isascii() and base.isprintable() else ""


def _transliterated(run: str) -> str:
    return f"\u2039{transliterate(run)}\u203a" if run else ""


def transliterate(text: str) -> str:
    """Text in ASCII, by Unicode's character names and the usual romanizations.

    Han characters read as in Mandarin, whatever language they are from.
    """
    return "".join(_romanized(c) for c in unicodedata.normalize("NFKC", text))


def _romanized(character: str) -> str:
    roman = "".join(c for c in anyascii(character) if c.isprintable())
    if character.isalpha():
        roman = roman.replace("?", "'")  # a glottal stop, not a doubt
    silent = unicodedata.category(character) in ("Mn", "Me", "Cf")
    return roman or ("" if silent else f"U+{ord(character):04X}")
