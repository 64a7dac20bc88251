"""Names of persons for display (PS3.5 6.2.1: alphabetic=ideographic=phonetic groups).

The alphabetic group is what the standard has for display and sorting everywhere; where a
hospital filled in only others, the phonetic one tells the pronunciation and the ideographic
one does not, so it comes last. What the typeface lacks is transliterated and said to be.
"""

from engine.reporting.fonts import is_printable, printable, transliterate

TRANSLITERATED = "transliterated"


def format_name(name: str) -> str:
    """A DICOM person name, family name first; empty when there is none.

    Args:
        name: Up to three component groups, as decoded from the object's character set.
    """
    groups = [*name.split("="), "", "", ""]
    alphabetic, ideographic, phonetic = groups[:3]
    chosen = next((g for g in (alphabetic, phonetic, ideographic) if _says_something(g)), "")
    parts = [part.strip() for part in chosen.split("^")]
    if is_printable(chosen):
        return _join(parts)
    shown = [_romanize(part) for part in parts]
    latin = not any("\u2039" in printable(part) for part in parts)
    return _join(shown) if latin else f"{_join(shown)} ({TRANSLITERATED})"


def _says_something(group: str) -> bool:
    """Tell whether a group holds a letter; some systems fill the group with ? or blanks."""
    return any(c.isalnum() for c in group)


def _join(parts: list[str]) -> str:
    family, *others = parts
    rest = " ".join(other for other in others if other)
    return ", ".join(part for part in (family, rest) if part)


def _romanize(part: str) -> str:
    if is_printable(part):
        return part
    plain = printable(part)
    if "\u2039" not in plain:
        return plain
    roman = transliterate(part)
    return roman[:1].upper() + roman[1:]
