"""Laws kernels with rotation invariance and texture energy (IBSI 2, chapter 3.3)."""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import RegionError
from engine.radiomics.filters.kinds import (
    Boundary,
    Margins,
    Pooling,
    Spacing,
    add_margins,
    renew_boundary,
)
from engine.radiomics.filters.separable import (
    IDENTITY,
    Kernels,
    box_kernel,
    convolution_kernel,
    correlate,
    kernels_along_xyz,
    margins_of,
    pool,
    rotate,
)
from engine.radiomics.native import Real

_WEIGHTS = {
    "L3": (1, 2, 1),
    "L5": (1, 4, 6, 4, 1),
    "E3": (-1, 0, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S3": (-1, 2, -1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
}
"""Level, edge, spot, wave and ripple kernels, before they are made unit length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawsFilter:
    """Laws kernels (IBSI JTXT).

    Attributes:
        kernels: Kernel names along x, y and z ("L5E5E5"); two for a filter in the slice.
        pooling: Pool over right-angle rotations; None: no rotation.
        energy_distance: Chebyshev distance of the texture energy (mean of the absolute
            response, IBSI PQSD); None: the response itself.
        boundary: How the image goes on beyond its edges.
    """

    kernels: str
    pooling: Pooling | None = None
    energy_distance: int | None = None
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        names = re.findall(r"[A-Z]\d", self.kernels)
        if "".join(names) != self.kernels or len(names) not in {2, 3} or set(names) - set(_WEIGHTS):
            raise RegionError(
                f"Laws filters take two or three of {', '.join(_WEIGHTS)}, got {self.kernels!r}"
            )
        if self.energy_distance is not None and self.energy_distance < 1:
            raise RegionError(f"The energy distance must be at least 1, got {self.energy_distance}")

    @property
    def planar(self) -> bool:
        """Two kernels: a filter in the slice."""
        return len(self.kernels) == 4

    @property
    def name(self) -> str:
        """Short name, e.g. "laws_L5E5E5_max_energy7"."""
        pooled = {None: "", Pooling.MAXIMUM: "_max", Pooling.AVERAGE: "_avg"}[self.pooling]
        energy = f"_energy{self.energy_distance}" if self.energy_distance else ""
        return f"laws_{self.kernels}{pooled}{energy}"

    def margins(self, spacing_mm: Spacing) -> Margins:
        """Of the kernels and of the energy."""
        kernels = margins_of(self._rotations())
        return add_margins(kernels, margins_of([self._energy()]))

    def respond(self, image: Real, spacing_mm: Spacing, invented: Margins) -> Real:
        """Pooled response, or its energy."""
        rotations = self._rotations()
        response = pool(image, rotations, self.pooling or Pooling.AVERAGE)
        if self.energy_distance is None:
            return response
        magnitude, _ = renew_boundary(
            np.abs(response), invented, margins_of(rotations), self.boundary
        )
        return correlate(magnitude, self._energy())

    def as_dict(self) -> dict[str, Any]:
        """Settings as JSON-able values."""
        return {
            "filter": "laws",
            "kernels": self.kernels,
            "pooling": None if self.pooling is None else str(self.pooling),
            "energy_distance": self.energy_distance,
            "boundary": str(self.boundary),
        }

    def _rotations(self) -> tuple[Kernels, ...]:
        names = re.findall(r"[A-Z]\d", self.kernels)
        parts = [
            convolution_kernel([w / math.hypot(*_WEIGHTS[name]) for w in _WEIGHTS[name]])
            for name in names
        ]
        kernels = kernels_along_xyz(parts[0], parts[1], None if self.planar else parts[2])
        return (kernels,) if self.pooling is None else rotate(kernels, planar=self.planar)

    def _energy(self) -> Kernels:
        if self.energy_distance is None:
            return (IDENTITY, IDENTITY, IDENTITY)
        box = box_kernel(2 * self.energy_distance + 1)
        return (IDENTITY if self.planar else box, box, box)
