"""What a segment is: the liver, a lesion, or something this engine does not measure."""

from enum import StrEnum

from engine.coding import snomed
from engine.values.model import CodedSegment
from engine.values.segmentation import LIVER_LABEL, TUMOR_LABEL


class Meaning(StrEnum):
    """What a drawn segment stands for."""

    LIVER = "liver"
    LESION = "lesion"
    OTHER = "other"


LIVER_TYPES = {snomed.LIVER.value, "T-62000"}
"""SNOMED CT, and the SNOMED RT code that older programs write (PS3.16 CID 7166)."""
LESION_CATEGORIES = {snomed.MORPHOLOGICALLY_ABNORMAL.value, "M-01000"}
LESION_TYPES = {snomed.NEOPLASM.value, "4147007", "52988006", "86049000"}
"""Neoplasm, mass, lesion, malignant neoplasm (PS3.16 CID 7159)."""


def meaning_of(category: str, kind: str, segments: tuple[CodedSegment, ...]) -> Meaning:
    """Read a segment's property category and type codes.

    Args:
        category: Segmented Property Category code value.
        kind: Segmented Property Type code value.
        segments: The model's own codes of its labels.
    """
    liver = {s.type_code for s in segments if s.label == LIVER_LABEL} | LIVER_TYPES
    lesion = {s.type_code for s in segments if s.label == TUMOR_LABEL} | LESION_TYPES
    if kind in liver:
        return Meaning.LIVER
    if kind in lesion or category in LESION_CATEGORIES:
        return Meaning.LESION
    return Meaning.OTHER
