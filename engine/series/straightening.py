"""Shift the slices of a tilted gantry back, each in its own plane.

The slices of a tilted gantry are parallel and lie where their headers say; only their corners
drift sideways from one to the next. Shifting every slice in its own plane by its drift gives
an orthogonal grid without mixing slices.
"""

import numpy as np
from numpy.typing import NDArray

from engine.series.pixels import LOWEST_HU


def straighten(
    voxels_hu: NDArray[np.int16], shifts_pixels: NDArray[np.float64]
) -> tuple[NDArray[np.int16], tuple[int, int]]:
    """Shift slices in their planes onto one grid that holds all of them.

    Args:
        voxels_hu: Shape (slice, row, column).
        shifts_pixels: (row, column) place of each slice's first pixel, in pixels relative to
            the first slice; shape (slice, 2).

    Returns:
        The straight volume (new rows and columns hold −1024 HU), and the (row, column) of
        the first slice's grid that became row 0, column 0 (never above 0).
    """
    first = np.floor(shifts_pixels.min(axis=0) + 1e-9).astype(int)
    last = np.ceil(shifts_pixels.max(axis=0) - 1e-9).astype(int)
    slices, rows, columns = voxels_hu.shape
    grow = last - first
    straight = np.full((slices, rows + grow[0], columns + grow[1]), LOWEST_HU, np.int16)
    for index in range(slices):
        place = shifts_pixels[index] - first
        whole = np.floor(place + 1e-9).astype(int)
        fraction = np.clip(place - whole, 0, 1)
        moved = _delay(_delay(voxels_hu[index], float(fraction[0])).T, float(fraction[1])).T
        target = straight[index, whole[0] :, whole[1] :]
        target[: moved.shape[0], : moved.shape[1]] = np.rint(moved)[
            : target.shape[0], : target.shape[1]
        ]
    return straight, (int(first[0]), int(first[1]))


def _delay(plane: NDArray[np.generic], fraction: float) -> NDArray[np.float32]:
    """Move rows down by a fraction of a pixel, linearly; one row longer, edges extended."""
    values = np.asarray(plane, np.float32)
    if fraction < 1e-6:
        return values
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.asarray(padded[1:] * (1 - fraction) + padded[:-1] * fraction, np.float32)
