"""What every image filter is to the extraction (IBSI 2, doi:10.1148/radiol.231319)."""

from enum import StrEnum
from typing import Any, Literal, Protocol

import numpy as np

from engine.radiomics.native import Real

Spacing = tuple[float, float, float]
Margins = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Voxels (before, after) along each axis."""
PadMode = Literal["constant", "edge", "wrap", "symmetric"]


class Boundary(StrEnum):
    """How an image goes on beyond its edges (IBSI 2, chapter 2.3)."""

    ZERO = "zero"
    NEAREST = "nearest"
    PERIODIC = "periodic"
    MIRROR = "mirror"

    @property
    def pad_mode(self) -> PadMode:
        """The rule's name in ``numpy.pad``."""
        modes: dict[Boundary, PadMode] = {
            Boundary.ZERO: "constant",
            Boundary.NEAREST: "edge",
            Boundary.PERIODIC: "wrap",
            Boundary.MIRROR: "symmetric",
        }
        return modes[self]


class Pooling(StrEnum):
    """How the responses of rotated filters become one (IBSI 2, chapter 2.5)."""

    MAXIMUM = "maximum"
    AVERAGE = "average"


class Filter(Protocol):
    """An image filter with all its settings; a frozen value."""

    @property
    def name(self) -> str:
        """Unique short name, part of the feature's name ("log_3mm")."""
        ...

    @property
    def boundary(self) -> Boundary:
        """How the image goes on beyond its edges."""
        ...

    def margins(self, spacing_mm: Spacing) -> Margins | None:
        """Voxels around the wanted box that the response depends on.

        None when the response depends on the whole image.
        """
        ...

    def respond(self, image: Real, spacing_mm: Spacing, invented: Margins) -> Real:
        """Filter an image that carries its margins.

        Args:
            image: Image with ``margins`` around the wanted box.
            spacing_mm: Distances between voxel centers.
            invented: How many of the outermost voxels come from the boundary rule. Filters
                of several stages apply the rule anew to each stage's result.

        Returns:
            The response without the margins; the whole image's when ``margins`` is None.
        """
        ...

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON-able values."""
        ...


NOTHING_INVENTED: Margins = ((0, 0), (0, 0), (0, 0))


def add_margins(a: Margins, b: Margins) -> Margins:
    """Margins of two stages in a row."""
    return (
        (a[0][0] + b[0][0], a[0][1] + b[0][1]),
        (a[1][0] + b[1][0], a[1][1] + b[1][1]),
        (a[2][0] + b[2][0], a[2][1] + b[2][1]),
    )


def renew_boundary(
    image: Real, invented: Margins, consumed: Margins, boundary: Boundary
) -> tuple[Real, Margins]:
    """Apply the boundary rule to the result of a stage.

    Args:
        image: Result of a stage that has consumed some margins.
        invented: Invented voxels of the stage's input.
        consumed: Margins the stage has consumed.
        boundary: The rule.

    Returns:
        The image with its remaining invented voxels made anew, and how many they are.
    """
    left = [
        (max(0, i[0] - c[0]), max(0, i[1] - c[1])) for i, c in zip(invented, consumed, strict=True)
    ]
    margins: Margins = (left[0], left[1], left[2])
    if margins == NOTHING_INVENTED:
        return image, margins
    real = image[tuple(slice(b, n - a) for (b, a), n in zip(left, image.shape, strict=True))]
    return np.pad(real, left, mode=boundary.pad_mode), margins


def respond_everywhere(image_filter: Filter, image: Real, spacing_mm: Spacing) -> Real:
    """Response map of a whole image."""
    margins = image_filter.margins(spacing_mm)
    if margins is None:
        return image_filter.respond(image, spacing_mm, NOTHING_INVENTED)
    padded = np.pad(image, margins, mode=image_filter.boundary.pad_mode)
    return image_filter.respond(padded, spacing_mm, margins)
