"""Grids of the phantom: the one asked for, and the finer or coarser one it is painted on."""

import numpy as np
from numpy.typing import NDArray

from engine.demo.parameters import PhantomParameters
from engine.values.geometry import VolumeGeometry, VoxelSpacing

FINEST_CANVAS_MM = 1.5
COARSEST_CANVAS_MM = 2.0
CANVAS_PADDING = 2
CENTER_OF_LIVER_Z_MM = -88.0

Axes = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def phantom_geometry(
    parameters: PhantomParameters,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
) -> VolumeGeometry:
    """Axial grid centered on the phantom's liver (along z) and body (along y and x)."""
    middle = (0.0, 6.0, CENTER_OF_LIVER_Z_MM * parameters.height_scale)
    origin = [
        center - (count - 1) / 2 * step
        for center, count, step in zip(middle, shape[::-1], spacing_mm[::-1], strict=True)
    ]
    return VolumeGeometry(
        shape=shape,
        spacing=VoxelSpacing(slice_mm=spacing_mm[0], row_mm=spacing_mm[1], column_mm=spacing_mm[2]),
        origin_mm=(origin[0], origin[1], origin[2]),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )


def grid_axes_mm(geometry: VolumeGeometry) -> Axes:
    """Patient coordinates of the voxel centers along z, y, x."""
    z, y, x = (
        np.asarray(first + step * np.arange(count), np.float64)
        for first, step, count in zip(
            geometry.origin_mm[::-1], geometry.spacing.as_tuple(), geometry.shape, strict=True
        )
    )
    return z, y, x


def canvas_axis_mm(target_mm: NDArray[np.float64], step_mm: float) -> NDArray[np.float64]:
    """An axis over the same range and a little more, at a step the anatomy is painted at."""
    if step_mm > COARSEST_CANVAS_MM:
        inner_mm = step_mm / np.ceil(step_mm / COARSEST_CANVAS_MM)
        first_mm = target_mm[0] - CANVAS_PADDING * inner_mm
    else:
        merged = max(1, round(FINEST_CANVAS_MM / step_mm))
        inner_mm = step_mm * merged
        first_mm = target_mm[0] + (merged - 1) / 2 * step_mm - CANVAS_PADDING * inner_mm
    reach_mm = target_mm[-1] - first_mm + CANVAS_PADDING * inner_mm
    return np.asarray(first_mm + inner_mm * np.arange(int(np.ceil(reach_mm / inner_mm)) + 1))
