"""Surface mesh measures of a mask: marching cubes at 0.5 (IBSI 3.1) without building the mesh.

A binary mask has only 256 kinds of surface cell. The triangles of each kind are made once;
area and enclosed volume of a whole mesh then follow from how often each kind occurs and where.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.radiomics.native import Mask, Real, load_core, pointer, shape_of, triple
from engine.radiomics.surface_table import CONFIGURATIONS, triangle_table


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceMeasures:
    """Mesh and hull of a mask, in mm.

    Attributes:
        volume_mm3, area_mm2: Of the mesh.
        hull_volume_mm3, hull_area_mm2: Of the mesh's convex hull.
        diameter_mm: Largest distance between two mesh vertices.
    """

    volume_mm3: float
    area_mm2: float
    hull_volume_mm3: float
    hull_area_mm2: float
    diameter_mm: float


def measure_surface(padded: Mask, spacing_mm: tuple[float, float, float]) -> SurfaceMeasures:
    """Measure the surface of a mask.

    Args:
        padded: Mask with a layer of background on every side, at least one voxel set.
        spacing_mm: Distances between voxel centers along the three axes.
    """
    area, volume = _measure_mesh(padded, np.array(spacing_mm))
    points = _hull_candidates(padded)
    unit = (spacing_mm[0] / 2, spacing_mm[1] / 2, spacing_mm[2] / 2)
    out = np.empty(3)
    done = load_core().measure_hull(pointer(points), len(points), triple(unit), pointer(out))
    if done <= 0:
        raise MemoryError(f"The convex hull of {len(points)} points could not be built")
    return SurfaceMeasures(
        volume_mm3=volume,
        area_mm2=area,
        hull_volume_mm3=float(out[0]),
        hull_area_mm2=float(out[1]),
        diameter_mm=float(out[2]),
    )


def _measure_mesh(padded: Mask, spacing: Real) -> tuple[float, float]:
    """Area and volume of the mesh; the volume by the divergence theorem."""
    counts = np.zeros((CONFIGURATIONS, 4), np.int64)
    mask = np.ascontiguousarray(padded).view(np.uint8)
    load_core().count_surface_cells(pointer(mask), shape_of(mask), pointer(counts))
    triangles, configurations = triangle_table()
    corners = triangles * spacing
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    cells = counts[configurations]
    area = float((np.linalg.norm(normals, axis=1) * cells[:, 0]).sum())
    positions = corners[:, 0] * cells[:, :1] + cells[:, 1:] * spacing
    return area, float((normals * positions).sum() / 3)


def _hull_candidates(padded: Mask) -> NDArray[np.int32]:
    """Mesh vertices among which all corners of the hull are, in half voxels, shape (n, 3).

    The mesh's vertices lie half a voxel from voxel centers along the axes, so the hull of the
    mesh is the hull of the centers with an octahedron put on each. A corner of the hull of the
    centers is first or last on its grid line along every axis.
    """
    extreme = padded.copy()
    for axis in range(3):
        ends = np.zeros_like(padded)
        first = np.expand_dims(padded.argmax(axis), axis)
        last = padded.shape[axis] - 1 - np.expand_dims(np.flip(padded, axis).argmax(axis), axis)
        np.put_along_axis(ends, first, values=True, axis=axis)
        np.put_along_axis(ends, last, values=True, axis=axis)
        extreme &= ends
    centers = 2 * np.argwhere(extreme)[:, None, :]
    octahedron = np.concatenate([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])
    room = tuple(2 * n for n in padded.shape)
    z, y, x = np.moveaxis(centers + octahedron, -1, 0)
    vertices = np.unique(np.ravel_multi_index((z, y, x), room))
    return np.stack(np.unravel_index(vertices, room), axis=1).astype(np.int32)
