"""From Hounsfield units on the scanner's grid to a network's input."""

import numpy as np
from numpy.typing import NDArray

from engine.spatial.resampling import resample
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.model import NetworkSpec


def prepare(
    voxels_hu: NDArray[np.int16], geometry: VolumeGeometry, spec: NetworkSpec
) -> tuple[NDArray[np.float32], VolumeGeometry]:
    """Clip to the window, resample to the network's spacing, scale.

    Clipping comes first, so that metal and air beyond the window do not bleed into tissue
    when the grid becomes coarser; the networks are trained on images made this way.

    Args:
        voxels_hu: On the standard axes, shape (slice, row, column).
        geometry: Their grid.
        spec: Window, spacing and scale.

    Returns:
        Scaled intensities on the network's grid, float32, and that grid.
    """
    low, high = spec.window_hu
    clipped = np.clip(voxels_hu, np.int16(np.ceil(low)), np.int16(np.floor(high)))
    first, second, third = spec.spacing_mm
    spacing = VoxelSpacing(slice_mm=first, row_mm=second, column_mm=third)
    resampled, grid = resample(clipped, geometry, spacing)
    scaled = resampled.astype(np.float32)
    scaled -= spec.mean_hu
    scaled /= spec.scale_hu
    return scaled, grid


def floor_value(spec: NetworkSpec) -> float:
    """Give the input value of everything at or below the window: air, and padding."""
    return float((np.float32(np.ceil(spec.window_hu[0])) - spec.mean_hu) / spec.scale_hu)
