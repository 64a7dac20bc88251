"""What is measured on one lesion, in patient space."""

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.lesions.diameters import (
    TIE_MM,
    convex_hull,
    farthest_pairs,
    longest_distance,
    surface_points,
    widest_chord_across,
)
from engine.values.geometry import VolumeGeometry
from engine.values.lesion import Diameter, Point

FloatArray = NDArray[np.float64]
FIRST_MARGIN_MM = 15.0


def axial_array_axis(geometry: VolumeGeometry) -> int:
    """The array axis that runs closest to the patient's head-foot axis.

    RECIST 1.1 measures in the axial plane (doi:10.1016/j.ejca.2008.10.026); in a
    coronal or sagittal stack that plane cuts across the acquired slices.
    """
    return int(np.abs(geometry.directions[2]).argmax())


def axial_diameters(
    mask: NDArray[np.bool_], corner: tuple[int, int, int], geometry: VolumeGeometry
) -> tuple[Diameter, Diameter]:
    """Longest diameter in one axial plane, and the longest one perpendicular to it.

    Args:
        mask: The lesion in its bounding box.
        corner: Index of the box's first voxel in the volume.
        geometry: Grid of the volume.

    Returns:
        Long axis and short axis. ``slice_index`` is None when the axial plane is not
        an acquired slice. The short axis is measured on the plane's convex hull.
    """
    axis = axial_array_axis(geometry)
    in_plane = [a for a in range(3) if a != axis]
    spacing = np.array(geometry.spacing.as_tuple())[in_plane]
    planes = [
        (plane, convex_hull(surface_points(section) * spacing))
        for plane in range(mask.shape[axis])
        if (section := np.take(mask, plane, axis=axis)).any()
    ]
    plane, ends, width, across = _measured_plane(planes)
    length = float(np.hypot(*(ends[1] - ends[0])))

    def diameter(value: float, pair_mm: FloatArray) -> Diameter:
        index = np.empty((2, 3))
        index[:, in_plane] = pair_mm / spacing
        index[:, axis] = plane
        return Diameter(
            length_mm=value,
            ends_mm=as_pair(geometry.to_patient(index + np.array(corner))),
            slice_index=plane + corner[0] if axis == 0 else None,
        )

    return diameter(length, ends), diameter(width, across)


def _measured_plane(
    planes: list[tuple[int, FloatArray]],
) -> tuple[int, FloatArray, float, FloatArray]:
    """The plane and pair of the longest diameter; among ties the widest across.

    Voxel shapes often reach their longest diameter by several pairs. Taking the widest
    makes the short axis the same however the stack is stored.

    Args:
        planes: Plane number and hull corners in mm, shape (h, 2).

    Returns:
        Plane, ends of the long axis (2, 2), short axis in mm and its ends (2, 2).
    """
    found = [(plane, hull, *farthest_pairs(hull)) for plane, hull in planes]
    longest = max(length for _, _, length, _ in found)
    best: tuple[int, FloatArray, float, FloatArray] | None = None
    for plane, hull, length, pairs in found:
        if length < longest - TIE_MM:
            continue
        for ends in pairs:
            width, across = widest_chord_across(hull, ends)
            if best is None or width > best[2] + TIE_MM:
                best = (plane, ends, width, across)
    if best is None:
        raise ValueError("An empty mask has no diameter")
    return best


def maximum_3d_diameter(
    mask: NDArray[np.bool_], corner: tuple[int, int, int], geometry: VolumeGeometry
) -> Diameter:
    """Longest distance between any two points of the lesion's surface."""
    points: list[FloatArray] = []
    for axis in range(3):
        for plane in range(mask.shape[axis]):
            section = np.take(mask, plane, axis=axis)
            if section.any():
                hull = convex_hull(surface_points(section))
                points.append(np.insert(hull, axis, plane, axis=1))
    candidates = np.unique(np.concatenate(points), axis=0)
    length, ends = longest_distance(geometry.to_patient(candidates + np.array(corner)))
    return Diameter(length_mm=length, ends_mm=as_pair(ends))


def capsule_distance_mm(
    lesion: NDArray[np.bool_], liver: NDArray[np.bool_], geometry: VolumeGeometry
) -> float:
    """Least distance from a lesion to the nearest voxel of the liver's surface.

    The distance map is made only around the lesion; the box grows until the surface it
    found lies nearer than the box's own border, so the answer is exact.

    Args:
        lesion, liver: Masks on ``geometry``; the lesion is not empty and lies in the liver.

    Returns:
        Millimeters between voxel centers; 0 when the lesion touches the surface.
    """
    spacing = np.array(geometry.spacing.as_tuple())
    found = np.argwhere(lesion)
    first, last = found.min(0), found.max(0) + 1
    margin_mm = FIRST_MARGIN_MM
    while True:
        reach = np.ceil(margin_mm / spacing).astype(int)
        low, high = np.maximum(first - reach, 0), np.minimum(last + reach, liver.shape)
        box = tuple(slice(int(i), int(j)) for i, j in zip(low, high, strict=True))
        distance = _distance_to_surface(liver[box], (low > 0, high < liver.shape), geometry)
        nearest = float(distance[lesion[box]].min())
        if nearest <= margin_mm or bool((low == 0).all() and (high == liver.shape).all()):
            return nearest
        margin_mm *= 2


def _distance_to_surface(
    liver: NDArray[np.bool_],
    goes_on: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    geometry: VolumeGeometry,
) -> NDArray[np.float32]:
    """Distance of every voxel of a box to the liver's surface, as far as the box shows it.

    Args:
        liver: The organ inside the box.
        goes_on: Per axis, whether the volume goes on below and above the box; there the
            box's own border must not look like a surface.
        geometry: Spacing of the voxels.
    """
    padded = np.pad(liver, 1)
    for axis in range(3):
        for side, end in zip(goes_on, (0, -1), strict=True):
            if side[axis]:
                index: list[slice | int] = [slice(None)] * 3
                index[axis] = end
                padded[tuple(index)] = True
    if padded.all():
        return np.full(liver.shape, np.inf, np.float32)
    image = sitk.GetImageFromArray(padded.astype(np.uint8))
    image.SetSpacing(geometry.spacing.as_tuple()[::-1])
    distance = sitk.SignedMaurerDistanceMap(
        image, insideIsPositive=True, squaredDistance=False, useImageSpacing=True
    )
    inner: NDArray[np.float32] = sitk.GetArrayFromImage(distance)[1:-1, 1:-1, 1:-1]
    return np.maximum(inner, 0)


def centroid_mm(mask: NDArray[np.bool_], geometry: VolumeGeometry) -> Point:
    """Mean voxel position in patient space, from the counts along each axis."""
    count = int(mask.sum())
    center = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        along = mask.sum(axis=others, dtype=np.int64)
        center.append(float(along @ np.arange(mask.shape[axis])) / count)
    return as_points(geometry.to_patient(np.array([center])))[0]


def as_points(positions: FloatArray) -> tuple[Point, ...]:
    """Rows of an (n, 3) array as tuples of plain floats."""
    return tuple((float(x), float(y), float(z)) for x, y, z in positions)


def as_pair(positions: FloatArray) -> tuple[Point, Point]:
    """Two rows as two points."""
    first, second = as_points(positions)
    return first, second
