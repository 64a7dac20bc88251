"""Boxes of voxels inside a grid."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.values.geometry import VolumeGeometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A box of voxels: first index and the index after the last, per array axis."""

    start: tuple[int, int, int]
    stop: tuple[int, int, int]

    @property
    def index(self) -> tuple[slice, slice, slice]:
        """The box as an array index."""
        first, second, third = (slice(a, b) for a, b in zip(self.start, self.stop, strict=True))
        return (first, second, third)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels per axis."""
        first, second, third = (b - a for a, b in zip(self.start, self.stop, strict=True))
        return (first, second, third)


def whole(geometry: VolumeGeometry) -> Region:
    """Give the box of a whole grid."""
    return Region(start=(0, 0, 0), stop=geometry.shape)


def bounding_region(mask: NDArray[np.bool_]) -> Region | None:
    """Give the smallest box that holds every True voxel; None when there is none."""
    start, stop = [], []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        used = np.flatnonzero(mask.any(axis=others))
        if used.size == 0:
            return None
        start.append(int(used[0]))
        stop.append(int(used[-1]) + 1)
    return Region(start=(start[0], start[1], start[2]), stop=(stop[0], stop[1], stop[2]))


def crop_geometry(geometry: VolumeGeometry, region: Region) -> VolumeGeometry:
    """Describe the grid of the voxels inside a box."""
    x, y, z = geometry.to_patient(np.array(region.start, np.float64))
    return replace(geometry, shape=region.shape, origin_mm=(float(x), float(y), float(z)))


def transfer_region(
    region: Region, source: VolumeGeometry, target: VolumeGeometry, *, margin_mm: float
) -> Region:
    """Find the box of a parallel grid that covers a box of another, with a margin.

    Args:
        region: Box on ``source``; its voxels reach half a voxel beyond their centers.
        source, target: Grids with the same directions.
        margin_mm: Added on every side, then cut at the edges of ``target``.

    Returns:
        The voxels of ``target`` whose centers lie inside; at least one per axis.
    """
    corners = np.array([region.start, region.stop], np.float64) - 0.5
    indices = target.to_index(source.to_patient(corners))
    margin = margin_mm / np.array(target.spacing.as_tuple())
    limit = np.array(target.shape)
    start = np.clip(np.ceil(indices[0] - margin - 1e-6), 0, limit - 1).astype(int)
    stop = np.clip(np.floor(indices[1] + margin + 1e-6) + 1, start + 1, limit).astype(int)
    a, b, c = (int(v) for v in start)
    d, e, f = (int(v) for v in stop)
    return Region(start=(a, b, c), stop=(d, e, f))
