"""Families, aggregations and units of the IBSI 1 features (doi:10.1148/radiol.2020191145)."""

from dataclasses import dataclass
from enum import StrEnum

INTENSITY = "intensity"
INTENSITY_SQUARED = "intensity squared"
INTENSITY_VOLUME = "intensity volume"
"""Placeholders for units that depend on the image; ``resolve_unit`` fills them in."""


class Family(StrEnum):
    """Feature families of IBSI 1."""

    MORPHOLOGY = "Morphology"
    LOCAL_INTENSITY = "Local intensity"
    STATISTICS = "Intensity statistics"
    HISTOGRAM = "Intensity histogram"
    VOLUME_HISTOGRAM = "Intensity-volume histogram"
    COOCCURRENCE = "Grey level co-occurrence matrix"
    RUN_LENGTH = "Grey level run length matrix"
    SIZE_ZONE = "Grey level size zone matrix"
    DISTANCE_ZONE = "Grey level distance zone matrix"
    TONE_DIFFERENCE = "Neighbourhood grey tone difference matrix"
    DEPENDENCE = "Neighbouring grey level dependence matrix"


class Aggregation(StrEnum):
    """How texture matrices of slices and directions are brought together (IBSI 3.6)."""

    AVERAGED_2D = "2D, averaged"
    MERGED_2D = "2D, slice-merged"
    MERGED_2_5D = "2.5D, direction-merged"
    ALL_MERGED_2_5D = "2.5D, merged"
    AVERAGED_3D = "3D, averaged"
    MERGED_3D = "3D, merged"

    @property
    def dimension(self) -> str:
        """All that matters to matrices without directions: "2D", "2.5D" or "3D"."""
        return self.value.split(",", 1)[0]


AGGREGATION_TAGS = {
    "": "",
    Aggregation.AVERAGED_2D: "_2D_avg",
    Aggregation.MERGED_2D: "_2D_comb",
    Aggregation.MERGED_2_5D: "_2_5D_avg",
    Aggregation.ALL_MERGED_2_5D: "_2_5D_comb",
    Aggregation.AVERAGED_3D: "_3D_avg",
    Aggregation.MERGED_3D: "_3D_comb",
    "2D": "_2D",
    "2.5D": "_2_5D",
    "3D": "_3D",
}
"""Suffix of a feature's tag by aggregation, as the IBSI reference tables write it."""

AGGREGATION_CODES = {
    Aggregation.AVERAGED_2D: "BTW3",
    Aggregation.MERGED_2D: "SUJT",
    Aggregation.MERGED_2_5D: "JJUI",
    Aggregation.ALL_MERGED_2_5D: "ZW7Z",
    Aggregation.AVERAGED_3D: "ITBB",
    Aggregation.MERGED_3D: "IAZD",
    "2D": "8QNN",
    "2.5D": "62GR",
    "3D": "KOBO",
}
"""IBSI code of each aggregation."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One IBSI feature.

    Attributes:
        tag: Short name without aggregation ("cm_joint_max").
        ibsi_code: Four-character code.
        name: Name in the reference manual.
        unit: UCUM unit, or one of the placeholders above.
    """

    tag: str
    ibsi_code: str
    name: str
    unit: str


def resolve_unit(unit: str, intensity_unit: str) -> str:
    """Fill the image's intensity unit into a feature's unit."""
    if unit == INTENSITY:
        return intensity_unit
    if intensity_unit == "1":
        return {INTENSITY_SQUARED: "1", INTENSITY_VOLUME: "mm3"}.get(unit, unit)
    return {
        INTENSITY_SQUARED: f"{intensity_unit}2",
        INTENSITY_VOLUME: f"{intensity_unit}.mm3",
    }.get(unit, unit)
