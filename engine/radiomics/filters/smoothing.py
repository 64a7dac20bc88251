"""Mean filter and Laplacian of Gaussian (IBSI 2, chapters 3.1 and 3.2)."""

import ctypes
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import RegionError
from engine.radiomics.filters.kinds import Boundary, Margins, Spacing
from engine.radiomics.filters.separable import (
    IDENTITY,
    Kernels,
    box_kernel,
    correlate,
    gaussian_weights,
    margins_of,
)
from engine.radiomics.filters.workspace import Workspace
from engine.radiomics.native import Real, load_core, pointer, shape_of, size_triple, start_of


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
        """Sum of the second derivatives of the smoothed image."""
        return self.respond_within(Workspace(), image, spacing_mm)

    def respond_within(self, workspace: Workspace, image: Real, spacing_mm: Spacing) -> Real:
        """The response, in the memory of a workspace.

        The kernel is the sum of three separable ones, which share their first passes.
        """
        if image.strides[2] != image.itemsize or image.strides[0] % image.itemsize:
            image = np.ascontiguousarray(image)
        weights = [
            gaussian_weights(self.sigma_mm / mm, self._reach(mm))
            for mm in spacing_mm[1 if self.planar else 0 :]
        ]
        if self.planar:
            weights.insert(0, (np.ones(1), np.zeros(1)))
        taps = tuple(len(smooth) for smooth, _ in weights)
        slices, rows, columns = (n - t + 1 for n, t in zip(image.shape, taps, strict=True))
        row = image.shape[2]
        scratch = workspace.take("laplacian scratch", (2 * row * (image.shape[1] * slices + rows),))
        response = workspace.take("laplacian", (slices, rows, columns))
        load_core().filter_laplacian(
            start_of(image),
            (ctypes.c_int64 * 2)(*(step // image.itemsize for step in image.strides[:2])),
            shape_of(image),
            pointer(np.concatenate([part for pair in weights for part in pair])),
            size_triple(taps),
            pointer(scratch),
            pointer(response),
        )
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
