"""Voxel grids as plain values, in the DICOM patient coordinate system (LPS, mm)."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from HepatoCastLib.errors import ExchangeError

SAME_PLACE_MM = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where the voxels of an array [slice, row, column] lie.

    Attributes:
        shape: Voxels along (slice, row, column).
        affine: 4×4, homogeneous index [slice, row, column] to LPS mm.
        frame_of_reference_uid: Empty where nobody knows it.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    frame_of_reference_uid: str = ""

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Distances between voxel centers along (slice, row, column)."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def directions(self) -> NDArray[np.float64]:
        """3×3; columns are the unit vectors of the slice, row and column axes."""
        return self.affine[:3, :3] / self.spacing_mm

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in milliliters."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def to_patient(self, indices: NDArray[np.float64]) -> NDArray[np.float64]:
        """LPS positions, shape (..., 3), of indices [slice, row, column], shape (..., 3)."""
        return np.asarray(indices, np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, positions_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Fractional indices, shape (..., 3), of LPS positions, shape (..., 3)."""
        offset = np.asarray(positions_mm, np.float64) - self.affine[:3, 3]
        return offset @ np.linalg.inv(self.affine[:3, :3]).T


def reorder(array: NDArray[Any], source: Grid, target: Grid) -> NDArray[Any]:
    """Bring an array to another order of the same voxels; never interpolates.

    Args:
        array: Values on ``source``, shape ``source.shape``.
        source: The grid of the array.
        target: The same lattice with axes swapped or reversed.

    Returns:
        A view of the array, shape ``target.shape``.

    Raises:
        ExchangeError: The two grids do not hold the same voxels.
    """
    alignment = target.directions.T @ source.directions
    axes = tuple(int(axis) for axis in np.abs(alignment).argmax(axis=1))
    moved = array.transpose(axes) if sorted(axes) == [0, 1, 2] else array
    backwards = [alignment[row, axis] < 0 for row, axis in enumerate(axes)]
    moved = moved[tuple(slice(None, None, -1) if back else slice(None) for back in backwards)]
    gap_mm = _largest_gap_mm(source, target, axes, backwards)
    if moved.shape != target.shape or gap_mm > SAME_PLACE_MM:
        raise ExchangeError(
            f"The result lies on another grid than the volume: {source.shape} voxels against "
            f"{target.shape}, corners up to {gap_mm:.2f} mm apart; select the volume it was "
            "made from"
        )
    return moved


def _largest_gap_mm(
    source: Grid, target: Grid, axes: tuple[int, ...], backwards: list[bool]
) -> float:
    """How far corresponding corner voxels of both grids lie apart."""
    worst = 0.0
    for corner in itertools.product((0, 1), repeat=3):
        there = np.array(corner, np.float64) * (np.array(target.shape) - 1)
        here = np.zeros(3)
        for row, axis in enumerate(axes):
            end = corner[row] ^ int(backwards[row])
            here[axis] = end * (source.shape[axis] - 1)
        gap = np.linalg.norm(target.to_patient(there) - source.to_patient(here))
        worst = max(worst, float(gap))
    return worst
