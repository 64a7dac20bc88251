"""What every image filter is to the extraction (IBSI 2, doi:10.1148/radiol.231319)."""

from enum import StrEnum
from typing import Any, Literal, Protocol

from engine.radiomics.native import Real

Spacing = tuple[float, float, float]
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

    def margins(self, spacing_mm: Spacing) -> tuple[int, int, int] | None:
        """Voxels around the wanted box that the response depends on.

        None when the response depends on the whole image.
        """
        ...

    def respond(self, image: Real, spacing_mm: Spacing) -> Real:
        """Filter an image that already carries its margins.

        Returns:
            The response without the margins; same shape when ``margins`` is None.
        """
        ...

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON-able values."""
        ...
