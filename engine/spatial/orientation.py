"""Turn a volume to the axes the networks were trained on, and back, without interpolation.

Standard axes: slice index grows to the head (S), row index to posterior (P), column index
to the patient's left (L). In LPS that is +z, +y, +x. Axes are only permuted and flipped, so
every voxel keeps its value and its place in patient space; an oblique volume keeps its
directions and is turned to the closest of the 48 axis orders.
"""

from dataclasses import dataclass
from itertools import permutations
from types import EllipsisType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidGeometryError
from engine.values.geometry import VolumeGeometry, VoxelSpacing

Scalar = TypeVar("Scalar", bound=np.generic)

PATIENT_AXIS_OF_STANDARD = (2, 1, 0)
"""LPS component along which the standard slice, row and column axes grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisOrder:
    """How the axes of one grid become the standard axes.

    Attributes:
        source_axes: For standard axis 0, 1, 2 the source axis that supplies it.
        flipped: Whether that axis runs backwards.
    """

    source_axes: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]


def find_axis_order(geometry: VolumeGeometry) -> AxisOrder:
    """Find the permutation and flips that bring a grid closest to the standard axes.

    Closest means the largest sum of the absolute direction cosines between each source
    axis and the patient axis it is used for.
    """
    cosines = geometry.directions[list(PATIENT_AXIS_OF_STANDARD)]
    best = max(
        permutations(range(3)),
        key=lambda axes: float(sum(abs(cosines[i, axis]) for i, axis in enumerate(axes))),
    )
    first, second, third = best
    return AxisOrder(
        source_axes=(first, second, third),
        flipped=(
            bool(cosines[0, first] < 0),
            bool(cosines[1, second] < 0),
            bool(cosines[2, third] < 0),
        ),
    )


def to_standard_axes(
    voxels: NDArray[Scalar], geometry: VolumeGeometry
) -> tuple[NDArray[Scalar], VolumeGeometry]:
    """Turn a volume to the standard axes.

    Args:
        voxels: Shape (..., slice, row, column); leading axes (channels) stay in place.
        geometry: Grid of the last three axes.

    Returns:
        A view of ``voxels`` with permuted and flipped axes, and the grid it lies on.

    Raises:
        InvalidGeometryError: The array does not fit the grid.
    """
    _check_fit(voxels, geometry.shape)
    order = find_axis_order(geometry)
    lead = voxels.ndim - 3
    turned = voxels.transpose(*range(lead), *(lead + axis for axis in order.source_axes))
    return turned[_flip_index(order)], standard_geometry(geometry)


def from_standard_axes(voxels: NDArray[Scalar], source: VolumeGeometry) -> NDArray[Scalar]:
    """Undo ``to_standard_axes``.

    Args:
        voxels: On the standard axes of ``source``, shape (..., slice, row, column).
        source: The grid to return to.

    Returns:
        A view of ``voxels`` with the axes of ``source``.

    Raises:
        InvalidGeometryError: The array does not fit the grid.
    """
    order = find_axis_order(source)
    first, second, third = order.source_axes
    shape = source.shape
    _check_fit(voxels, (shape[first], shape[second], shape[third]))
    lead = voxels.ndim - 3
    back = np.argsort(order.source_axes)
    flipped = voxels[_flip_index(order)]
    return flipped.transpose(*range(lead), *(lead + int(axis) for axis in back))


def standard_geometry(geometry: VolumeGeometry) -> VolumeGeometry:
    """Describe the grid that ``to_standard_axes`` puts the voxels of ``geometry`` on."""
    order = find_axis_order(geometry)
    shape = [geometry.shape[axis] for axis in order.source_axes]
    spacing = [geometry.spacing.as_tuple()[axis] for axis in order.source_axes]
    directions = geometry.directions
    corner = np.zeros(3)
    turned: list[tuple[float, float, float]] = []
    for axis, flip in zip(order.source_axes, order.flipped, strict=True):
        corner[axis] = geometry.shape[axis] - 1 if flip else 0
        x, y, z = directions[:, axis] * (-1.0 if flip else 1.0)
        turned.append((float(x), float(y), float(z)))
    x, y, z = geometry.to_patient(corner)
    return VolumeGeometry(
        shape=(shape[0], shape[1], shape[2]),
        spacing=VoxelSpacing(slice_mm=spacing[0], row_mm=spacing[1], column_mm=spacing[2]),
        origin_mm=(float(x), float(y), float(z)),
        slice_direction=turned[0],
        row_direction=turned[1],
        column_direction=turned[2],
        frame_of_reference_uid=geometry.frame_of_reference_uid,
    )


def _flip_index(order: AxisOrder) -> tuple[EllipsisType | slice, ...]:
    return (..., *(slice(None, None, -1) if flip else slice(None) for flip in order.flipped))


def _check_fit(voxels: NDArray[Scalar], shape: tuple[int, int, int]) -> None:
    if voxels.ndim < 3 or voxels.shape[-3:] != shape:
        raise InvalidGeometryError(
            f"Turning axes needs an array of shape (..., {shape[0]}, {shape[1]}, {shape[2]}), "
            f"got {voxels.shape}"
        )
