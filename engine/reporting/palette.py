"""Colors of liver and lesions, the same in SEG, pictures and PDF."""

from engine.values.model import CodedSegment

Rgb = tuple[int, int, int]

LIVER_RGB: Rgb = (94, 201, 190)
# Distinct on gray and for color-blind readers (Okabe-Ito order, doi:10.1038/nmeth.1618).
LESION_RGB: tuple[Rgb, ...] = (
    (230, 85, 13),
    (240, 228, 66),
    (86, 180, 233),
    (204, 121, 167),
    (255, 159, 64),
    (0, 158, 115),
)


def lesion_color(number: int) -> Rgb:
    """Color of the lesion with this number (counted from 1)."""
    return LESION_RGB[(number - 1) % len(LESION_RGB)]


def find_segment(segments: tuple[CodedSegment, ...], label: int) -> CodedSegment | None:
    """The package's declaration of a label, or None when it has none."""
    return next((s for s in segments if s.label == label), None)
