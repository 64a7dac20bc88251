"""Lay masks on the reference grid without interpolation, or say where they do not lie on it.

A mask may have its axes swapped or reversed against the grid (every program stores its own
order); what it may not do is lie between the grid's voxels.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import CorrectionError
from engine.values.geometry import VolumeGeometry

TOLERANCE_MM = 0.05
"""Positions travel as decimal strings and 32 bit floats; the geometry gate allows as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How an array's axes run on the grid.

    Attributes:
        axes: For grid axis 0, 1, 2 the axis of the array that runs along it.
        reversed: Whether that axis runs against the grid's.
        corner: Grid index of the lowest voxel that the array covers.
        shape: The array's shape in the grid's axis order.
    """

    axes: tuple[int, int, int]
    reversed: tuple[bool, bool, bool]
    corner: tuple[int, int, int]
    shape: tuple[int, int, int]

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The part of the grid that the array covers."""
        first, second, third = (
            slice(low, low + count) for low, count in zip(self.corner, self.shape, strict=True)
        )
        return first, second, third

    def turn(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array in the grid's axis order; a view."""
        moved = array.transpose(self.axes)
        return moved[
            tuple(slice(None, None, -1) if back else slice(None) for back in self.reversed)
        ]


def place(
    shape: tuple[int, int, int], affine: NDArray[np.float64], grid: VolumeGeometry, what: str
) -> Placement:
    """Find how an array lies on the grid.

    Args:
        shape: Shape of the array.
        affine: 4×4, homogeneous array index to LPS mm.
        grid: The reference grid.
        what: What the array is, for the message ("Frame 12 of the SEG").

    Raises:
        CorrectionError: Its voxels are not voxels of the grid, or lie outside of it.
    """
    to_grid = np.linalg.inv(grid.affine) @ affine
    steps = np.rint(to_grid[:3, :3]).astype(int)
    start = np.rint(to_grid[:3, 3]).astype(int)
    if sorted(np.abs(steps).argmax(axis=1)) != [0, 1, 2] or np.abs(steps).sum() != 3:
        raise CorrectionError(
            f"{what} does not run along the axes of the reference series, or has another voxel "
            f"size: one step along its axes is {_steps_mm(affine)} mm, of the reference "
            f"{np.round(grid.spacing.as_tuple(), 4).tolist()} mm; draw on the reference series"
        )
    _check_corners(shape, affine, grid, (steps, start, what))
    axes = tuple(int(axis) for axis in np.abs(steps).argmax(axis=1))
    back = tuple(bool(steps[row, axis] < 0) for row, axis in enumerate(axes))
    sizes = tuple(int(shape[axis]) for axis in axes)
    corner = tuple(int(start[row]) - (sizes[row] - 1 if back[row] else 0) for row in range(3))
    for row, name in enumerate(("slice", "row", "column")):
        if corner[row] < 0 or corner[row] + sizes[row] > grid.shape[row]:
            raise CorrectionError(
                f"{what} covers {name}s {corner[row]} to {corner[row] + sizes[row] - 1}, the "
                f"reference series has {name}s 0 to {grid.shape[row] - 1}"
            )
    return Placement(
        axes=(axes[0], axes[1], axes[2]),
        reversed=(back[0], back[1], back[2]),
        corner=(corner[0], corner[1], corner[2]),
        shape=(sizes[0], sizes[1], sizes[2]),
    )


def _check_corners(
    shape: tuple[int, int, int],
    affine: NDArray[np.float64],
    grid: VolumeGeometry,
    found: tuple[NDArray[np.int_], NDArray[np.int_], str],
) -> None:
    """Every corner voxel must lie on the voxel of the grid it is taken for."""
    steps, start, what = found
    for corner in itertools.product(*[(0, n - 1) for n in shape]):
        position = affine[:3, :3] @ np.array(corner, np.float64) + affine[:3, 3]
        index = steps @ np.array(corner) + start
        gap = float(np.linalg.norm(grid.to_patient(index.astype(np.float64)) - position))
        if gap > TOLERANCE_MM:
            raise CorrectionError(
                f"{what} lies off the reference series: its voxel {list(corner)} at "
                f"{np.round(position, 3).tolist()} mm is {gap:.3f} mm from the nearest voxel "
                f"{index.tolist()} (at most {TOLERANCE_MM} mm); draw on the reference series"
            )


def _steps_mm(affine: NDArray[np.float64]) -> list[float]:
    return [float(v) for v in np.round(np.linalg.norm(affine[:3, :3], axis=0), 4)]
