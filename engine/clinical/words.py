"""Words, codes and numbers that sources use for coded values, folded to the allowed words."""

from engine.clinical.analyte import Analyte
from engine.errors import ClinicalDataError

_YES = {
    "present": "present",
    "yes": "present",
    "y": "present",
    "1": "present",
    "true": "present",
    "positive": "present",
    "pos": "present",
    "reactive": "present",
    "detected": "present",
    "52101004": "present",
    "10828004": "present",
    "absent": "absent",
    "no": "absent",
    "n": "absent",
    "0": "absent",
    "false": "absent",
    "none": "absent",
    "negative": "absent",
    "neg": "absent",
    "nonreactive": "absent",
    "non-reactive": "absent",
    "not detected": "absent",
    "2667000": "absent",
    "272519000": "absent",
    "260385009": "absent",
}

_SYNONYMS: dict[str, dict[str, str]] = {
    "sex": {
        "m": "male",
        "f": "female",
        "248153007": "male",
        "248152002": "female",
    },
    "ecog": {
        "la9622-7": "0",
        "la9623-5": "1",
        "la9624-3": "2",
        "la9625-0": "3",
        "la9626-8": "4",
    },
    "ascites": {
        "none": "absent",
        "no": "absent",
        "0": "absent",
        "mild": "slight",
        "small": "slight",
        "severe": "moderate",
        "moderate to severe": "moderate",
        "large": "moderate",
    },
    "encephalopathy": {
        "none": "absent",
        "no": "absent",
        "0": "absent",
        "1": "grade 1-2",
        "2": "grade 1-2",
        "3": "grade 3-4",
        "4": "grade 3-4",
        "grade 1": "grade 1-2",
        "grade 2": "grade 1-2",
        "grade 3": "grade 3-4",
        "grade 4": "grade 3-4",
    },
    "differentiation": {
        "g1": "well",
        "g2": "moderate",
        "g3": "poor",
        "g4": "undifferentiated",
        "well differentiated": "well",
        "moderately differentiated": "moderate",
        "poorly differentiated": "poor",
    },
}


def coded_word(text: str, analyte: Analyte) -> str:
    """The analyte's word for a source's wording.

    Args:
        text: Word, number or SNOMED CT code as sent; case and outer blanks do not matter.
        analyte: Has ``words``.

    Returns:
        One of ``analyte.words``.

    Raises:
        ClinicalDataError: The wording is not one of the known ones.
    """
    folded = text.strip().lower().removesuffix(".0")
    for word in analyte.words:
        if folded == word.lower():
            return word
    synonyms = _SYNONYMS.get(analyte.key, _YES if "present" in analyte.words else {})
    if (word := synonyms.get(folded, "")) in analyte.words:
        return word
    raise ClinicalDataError(f"needs one of {', '.join(analyte.words)}")


def is_known_word(text: str, analyte: Analyte) -> bool:
    """True when ``coded_word`` understands the wording."""
    try:
        coded_word(text, analyte)
    except ClinicalDataError:
        return False
    return True
