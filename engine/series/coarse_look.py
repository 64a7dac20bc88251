"""A coarse look at a group of slices: about 2.5 mm in the plane, 5 mm between slices.

Only the slices that are looked at are read and decoded; their pixels are averaged in blocks,
which also takes most of the noise away.
"""

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidGeometryError
from engine.series.grouping import SeriesGroup
from engine.series.pixels import load_hu
from engine.series.planes import Plane
from engine.series.stacking import SAME_PLACE_MM
from engine.spatial.orientation import to_standard_axes
from engine.values.geometry import VolumeGeometry, VoxelSpacing

IN_PLANE_MM = 2.5
BETWEEN_SLICES_MM = 5.0
FEWEST_SLICES = 5


def look_coarsely(group: SeriesGroup) -> tuple[NDArray[np.float32], VolumeGeometry]:
    """Load a thinned, block-averaged volume on standard axes (S, P, L).

    Gantry tilt is ignored: the look serves medians of organs, not positions.

    Returns:
        HU, float32, and its grid.

    Raises:
        InvalidGeometryError: Fewer than five slices to look at.
        PixelDataError: Pixels are missing or not decodable.
    """
    chosen = _thin(group)
    first = chosen[0]
    block = (
        max(1, round(IN_PLANE_MM / first.row_mm)),
        max(1, round(IN_PLANE_MM / first.column_mm)),
    )
    voxels = np.stack([_block_means(plane_hu, block) for plane_hu in load_hu(chosen)])
    heights = [plane.height_mm for plane in chosen]
    spacing = VoxelSpacing(
        slice_mm=(heights[-1] - heights[0]) / (len(chosen) - 1),
        row_mm=first.row_mm * block[0],
        column_mm=first.column_mm * block[1],
    )
    x, y, z = (float(value) for value in first.normal)
    geometry = VolumeGeometry(
        shape=(voxels.shape[0], voxels.shape[1], voxels.shape[2]),
        spacing=spacing,
        origin_mm=first.position_mm,
        slice_direction=(x, y, z),
        row_direction=first.row_direction,
        column_direction=first.column_direction,
        frame_of_reference_uid=first.frame_of_reference_uid,
    )
    return to_standard_axes(voxels, geometry)


def _thin(group: SeriesGroup) -> list[Plane]:
    chosen: list[Plane] = []
    wanted = max(BETWEEN_SLICES_MM, group.slice_spacing_mm) - SAME_PLACE_MM
    for plane in group.planes:
        if not chosen or plane.height_mm - chosen[-1].height_mm >= wanted:
            chosen.append(plane)
    if len(chosen) < FEWEST_SLICES:
        raise InvalidGeometryError(
            f"A look at the contrast phase needs {FEWEST_SLICES} slices, got {len(chosen)}"
        )
    return chosen


def _block_means(plane_hu: NDArray[np.int16], block: tuple[int, int]) -> NDArray[np.float32]:
    rows, columns = plane_hu.shape[0] // block[0], plane_hu.shape[1] // block[1]
    cut = plane_hu[: rows * block[0], : columns * block[1]]
    blocks = cut.reshape(rows, block[0], columns, block[1])
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))
