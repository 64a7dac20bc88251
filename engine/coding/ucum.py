"""Units of measurement (scheme UCUM, https://ucum.org)."""

from pydicom.sr.coding import Code

SCHEME = "UCUM"

MILLIMETER = Code("mm", SCHEME, "mm")
CUBIC_CENTIMETER = Code("cm3", SCHEME, "cubic centimeter")
HOUNSFIELD_UNIT = Code("[hnsf'U]", SCHEME, "Hounsfield unit")
PERCENT = Code("%", SCHEME, "Percent")
MONTH = Code("mo", SCHEME, "month")
CENTIMETER = Code("cm", SCHEME, "cm")
NO_UNITS = Code("1", SCHEME, "no units")
PIXELS = Code("{pixels}", SCHEME, "Pixels")
UNIT_VECTOR = Code("{-1:1}", SCHEME, "{-1:1}")
LESIONS = Code("{lesions}", SCHEME, "lesions")

_MEANINGS = {
    **{u.value: u.meaning for u in (MILLIMETER, CUBIC_CENTIMETER, HOUNSFIELD_UNIT, PERCENT)},
    "1": NO_UNITS.meaning,
    "mm2": "square millimeter",
    "mm3": "cubic millimeter",
    "cm": "cm",
    "mo": "month",
    "a": "year",
}


def unit(symbol: str) -> Code:
    """The concept of a UCUM symbol; its own symbol is the meaning where none is listed."""
    return Code(symbol or "1", SCHEME, _MEANINGS.get(symbol or "1", symbol))
