"""Mean filter and Laplacian of Gaussian (IBSI 2, chapters 3.1 and 3.2)."""

import math
from dataclasses import dataclass
from typing import Any

from engine.errors import RegionError
from engine.radiomics.filters.kinds import Boundary, Margins, Spacing
from engine.radiomics.filters.separable import (
    IDENTITY,
    Kernels,
    box_kernel,
    correlate,
    correlate_axis,
    gaussian_kernels,
    margins_of,
)
from engine.radiomics.native import Real


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanFilter:
    """Mean over a cube (IBSI S60F).

    Attributes:
        support: Side of the cube in voxels, odd.
        planar: Over a square in the slice instead.
        boundary: How the image goes on beyond its edges.
    """

    support: int
    planar: bool = False
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        if self.support < 1 or self.support % 2 == 0:
            raise RegionError(f"A mean filter's support must be odd, got {self.support} voxels")

    @property
    def name(self) -> str:
        """Short name, e.g. "mean_5"."""
        return f"mean_{self.support}" + ("_2D" if self.planar else "")

    def margins(self, spacing_mm: Spacing) -> Margins:
        """Half the support."""
        return margins_of([self._kernels()])

    def respond(self, image: Real, spacing_mm: Spacing, invented: Margins) -> Real:
        """Mean around each voxel."""
        return correlate(image, self._kernels())

    def as_dict(self) -> dict[str, Any]:
        """Settings as JSON-able values."""
        return {
            "filter": "mean",
            "support_voxels": self.support,
            "planar": self.planar,
            "boundary": str(self.boundary),
        }

    def _kernels(self) -> Kernels:
        box = box_kernel(self.support)
        return (IDENTITY if self.planar else box, box, box)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaplacianOfGaussian:
    """Laplacian of Gaussian (IBSI L6PA), in intensity per squared voxel.

    Attributes:
        sigma_mm: Standard deviation of the Gaussian.
        truncation: Standard deviations after which the kernel ends.
        planar: Derive and smooth in the slice only.
        boundary: How the image goes on beyond its edges.
    """

    sigma_mm: float
    truncation: float = 4.0
    planar: bool = False
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        for value in (self.sigma_mm, self.truncation):
            if not (math.isfinite(value) and value > 0):
                raise RegionError(f"A Laplacian of Gaussian needs sizes above 0, got {self}")

    @property
    def name(self) -> str:
        """Short name, e.g. "log_3mm"."""
        return f"log_{self.sigma_mm:g}mm" + ("_2D" if self.planar else "")

    def margins(self, spacing_mm: Spacing) -> Margins:
        """The kernel's reach."""
        z, y, x = (self._reach(mm) for mm in spacing_mm)
        return ((0, 0) if self.planar else (z, z), (y, y), (x, x))

    def respond(self, image: Real, spacing_mm: Spacing, invented: Margins) -> Real:
        """Sum of the second derivatives of the smoothed image.

        The kernel is the sum of three separable ones, which share their first passes.
        """
        smooth, curve = zip(
            *(gaussian_kernels(self.sigma_mm / mm, self._reach(mm)) for mm in spacing_mm),
            strict=True,
        )
        if self.planar:
            rows = correlate_axis(image, 1, smooth[1])
            curved = correlate_axis(image, 1, curve[1])
        else:
            smoothed = correlate_axis(image, 0, smooth[0])
            curved = correlate_axis(correlate_axis(image, 0, curve[0]), 1, smooth[1])
            curved += correlate_axis(smoothed, 1, curve[1])
            rows = correlate_axis(smoothed, 1, smooth[1])
        response = correlate_axis(curved, 2, smooth[2])
        response += correlate_axis(rows, 2, curve[2])
        return response

    def as_dict(self) -> dict[str, Any]:
        """Settings as JSON-able values."""
        return {
            "filter": "laplacian of gaussian",
            "sigma_mm": self.sigma_mm,
            "truncation": self.truncation,
            "planar": self.planar,
            "boundary": str(self.boundary),
        }

    def _reach(self, mm: float) -> int:
        return math.floor(self.truncation * self.sigma_mm / mm + 0.5)
