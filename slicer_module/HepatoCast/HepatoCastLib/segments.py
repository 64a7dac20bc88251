"""What a segment is called, colored and coded; read from the engine's own SEG object."""

from dataclasses import dataclass
from typing import Any

CATEGORIES = "Segmentation category and type - DICOM master list"
REGIONS = "Anatomic codes - DICOM master list"
LIVER_IDENTIFIER = "liver"
LESION_PREFIX = "lesion-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """A coded concept: value, scheme, meaning; all empty where there is none."""

    value: str = ""
    scheme: str = ""
    meaning: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}^{self.value}^{self.meaning}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment of a SEG object.

    Attributes:
        number: Segment Number; also its value in the label map.
        name: Segment Label.
        color: Red, green, blue, 0..1.
        category, type, region: Codes of the segment (PS3.3 C.8.20.4).
        tracking_id, tracking_uid: Identity across results.
    """

    number: int
    name: str
    color: tuple[float, float, float]
    category: Coded
    type: Coded
    region: Coded
    tracking_id: str
    tracking_uid: str

    @property
    def identifier(self) -> str:
        """Segment ID in Slicer: the same after every run, save and reload."""
        return LIVER_IDENTIFIER if self.number == 1 else f"{LESION_PREFIX}{self.number - 1}"

    def terminology(self) -> str:
        """The segment's TerminologyEntry as Slicer serializes it."""
        nothing = Coded()
        terms = (CATEGORIES, self.category, self.type, nothing, REGIONS, self.region, nothing)
        return "~".join(str(term) for term in terms)


def read_segment(record: dict[str, Any]) -> Segment:
    """A segment from a line of the job's segments.json."""
    codes = {name: Coded(**record[name]) for name in ("category", "type", "region")}
    red, green, blue = (value / 255.0 for value in record["rgb"])
    return Segment(
        number=record["number"],
        name=record["name"],
        color=(red, green, blue),
        tracking_id=record["tracking_id"],
        tracking_uid=record["tracking_uid"],
        **codes,
    )
