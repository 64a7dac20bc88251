"""Resample arrays between grids whose axes are parallel.

The new grid of ``resample`` has exactly the spacing that was asked for, its center coincides
with the center of the old grid, and it has as many voxels as fit best (``round``), so both
grids cover the same extent to within half a new voxel per side and nothing is shifted.
Voxels are points at their centers; a position up to half a voxel outside the outermost
centers takes the edge value.

Work is done slab by slab: memory beyond input and output is bounded by ``SLAB_BYTES``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidGeometryError
from engine.spatial.interpolation import (
    Matrix,
    antialiasing_weights,
    bspline_weights,
    linear_weights,
    trim,
)
from engine.values.geometry import VolumeGeometry, VoxelSpacing

Order = Literal["linear", "nearest", "bspline"]

SLAB_BYTES = 64 * 2**20
BAND_ROWS = 32
"""Output samples per block of a banded product; keeps the blocks large enough for BLAS."""
PARALLEL_TOLERANCE = 1e-3
"""Largest difference of direction cosines between grids that count as parallel."""


def resampled_geometry(geometry: VolumeGeometry, spacing: VoxelSpacing) -> VolumeGeometry:
    """Describe the grid with another spacing and the same center and directions."""
    old, new = np.array(geometry.spacing.as_tuple()), np.array(spacing.as_tuple())
    shape = np.maximum(1, np.floor(np.array(geometry.shape) * old / new + 0.5).astype(int))
    center = geometry.to_patient((np.array(geometry.shape) - 1) / 2)
    x, y, z = center - geometry.directions @ (new * (shape - 1) / 2)
    return replace(
        geometry,
        shape=(int(shape[0]), int(shape[1]), int(shape[2])),
        spacing=spacing,
        origin_mm=(float(x), float(y), float(z)),
    )


def resample(
    array: NDArray[Any],
    geometry: VolumeGeometry,
    spacing: VoxelSpacing,
    *,
    order: Order = "linear",
    antialias: bool = True,
) -> tuple[NDArray[Any], VolumeGeometry]:
    """Resample an array to another spacing.

    Args:
        array: Shape (..., slice, row, column).
        geometry: Grid of the last three axes.
        spacing: Wanted spacing.
        order: "linear" or "bspline" for images, "nearest" for labels.
        antialias: Smooth along axes that become coarser (never for "nearest").

    Returns:
        The array on the new grid and the grid. Integers stay their type (rounded and
        clipped to its range), "nearest" keeps any type, all else becomes float32.

    Raises:
        InvalidGeometryError: The array does not fit the grid.
    """
    target = resampled_geometry(geometry, spacing)
    return resample_to(array, geometry, target, order=order, antialias=antialias), target


def resample_to(
    array: NDArray[Any],
    geometry_from: VolumeGeometry,
    geometry_to: VolumeGeometry,
    *,
    order: Order = "linear",
    antialias: bool = True,
    outside: float | None = None,
) -> NDArray[Any]:
    """Resample an array onto a given parallel grid.

    Args:
        array: Shape (..., slice, row, column) on ``geometry_from``.
        geometry_from: Grid of the input.
        geometry_to: Grid of the output; same directions.
        order: As in ``resample``.
        antialias: As in ``resample``.
        outside: Value more than half a voxel outside the input; None extends the edge.

    Returns:
        The array on ``geometry_to``; types as in ``resample``.

    Raises:
        InvalidGeometryError: The grids are not parallel or the array does not fit.
    """
    output: NDArray[Any] | None = None
    for where, slab in resample_slabs(
        array, geometry_from, geometry_to, order=order, antialias=antialias, outside=outside
    ):
        if output is None:
            output = np.empty((*array.shape[:-3], *geometry_to.shape), slab.dtype)
        output[..., where, :, :] = slab
    if output is None:
        raise InvalidGeometryError(f"Nothing to resample onto {geometry_to.shape}")
    return output


def resample_slabs(
    array: NDArray[Any],
    geometry_from: VolumeGeometry,
    geometry_to: VolumeGeometry,
    *,
    order: Order = "linear",
    antialias: bool = True,
    outside: float | None = None,
) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Resample as ``resample_to``, handing out one slab of output slices after another.

    Yields:
        The range of output slices and their values, shape (..., n, row, column).

    Raises:
        InvalidGeometryError: The grids are not parallel or the array does not fit.
    """
    _check(array, geometry_from, geometry_to)
    axes = [
        _plan_axis(axis, geometry_from, geometry_to, order=order, antialias=antialias)
        for axis in range(3)
    ]
    leading = int(np.prod(array.shape[:-3], dtype=np.int64))
    widest = max(array.shape[-2], geometry_to.shape[1]) * max(array.shape[-1], geometry_to.shape[2])
    step = int(np.clip(SLAB_BYTES // (12 * leading * widest), 1, geometry_to.shape[0]))
    for start in range(0, geometry_to.shape[0], step):
        where = slice(start, min(start + step, geometry_to.shape[0]))
        if order == "nearest":
            slab = _pick(array, where, axes)
        else:
            slab = _cast(_interpolate(array, where, axes), array.dtype)
        if outside is not None:
            slab[..., axes[0].outside[where], :, :] = outside
            slab[..., axes[1].outside, :] = outside
            slab[..., axes[2].outside] = outside
        yield where, slab


@dataclass(frozen=True, slots=True, kw_only=True)
class _AxisPlan:
    """How one output axis is made: weights (n_out, n_in), nearest sample, who lies outside."""

    weights: Matrix
    nearest: NDArray[np.intp]
    outside: NDArray[np.bool_]


def _plan_axis(
    axis: int,
    geometry_from: VolumeGeometry,
    geometry_to: VolumeGeometry,
    *,
    order: Order,
    antialias: bool,
) -> _AxisPlan:
    samples, count = geometry_from.shape[axis], geometry_to.shape[axis]
    source_mm = geometry_from.spacing.as_tuple()[axis]
    target_mm = geometry_to.spacing.as_tuple()[axis]
    start = geometry_from.to_index(np.array(geometry_to.origin_mm))[axis]
    positions = start + np.arange(count) * (target_mm / source_mm)
    nearest = np.clip(np.floor(positions + 0.5 + 1e-6), 0, samples - 1).astype(np.intp)
    outside = (positions < -0.5 - 1e-6) | (positions > samples - 0.5 + 1e-6)
    if order == "nearest":
        weights = np.zeros((0, 0), np.float32)
    else:
        interpolate = linear_weights if order == "linear" else bspline_weights
        kernel = interpolate(positions, samples)
        if antialias and target_mm > source_mm:
            kernel = kernel @ antialiasing_weights(
                samples, source_mm=source_mm, target_mm=target_mm
            )
        weights = trim(kernel)
    return _AxisPlan(weights=weights, nearest=nearest, outside=outside)


def _pick(array: NDArray[Any], where: slice, axes: list[_AxisPlan]) -> NDArray[Any]:
    picked = array[..., axes[0].nearest[where], :, :]
    picked = picked[..., axes[1].nearest, :]
    return np.asarray(picked[..., axes[2].nearest])


def _interpolate(array: NDArray[Any], where: slice, axes: list[_AxisPlan]) -> NDArray[np.float32]:
    """Interpolate one slab: across slices first (few are needed), then in the plane."""
    across = axes[0].weights[where]
    used = np.flatnonzero(across.any(axis=0))
    first, last = int(used[0]), int(used[-1]) + 1
    block = np.ascontiguousarray(array[..., first:last, :, :], np.float32)
    flat = block.reshape(*block.shape[:-2], -1)
    slab = (across[:, first:last] @ flat).reshape(
        *block.shape[:-3], across.shape[0], *block.shape[-2:]
    )
    return _along_rows(_along_columns(slab, axes[2].weights), axes[1].weights)


def _along_columns(slab: NDArray[np.float32], weights: Matrix) -> NDArray[np.float32]:
    output = np.empty((*slab.shape[:-1], len(weights)), np.float32)
    for made, needed in _bands(weights):
        np.matmul(slab[..., needed], weights[made, needed].T, out=output[..., made])
    return output


def _along_rows(slab: NDArray[np.float32], weights: Matrix) -> NDArray[np.float32]:
    output = np.empty((*slab.shape[:-2], len(weights), slab.shape[-1]), np.float32)
    for made, needed in _bands(weights):
        np.matmul(weights[made, needed], slab[..., needed, :], out=output[..., made, :])
    return output


def _bands(weights: Matrix) -> Iterator[tuple[slice, slice]]:
    """Cut a banded matrix into blocks of output rows with the input columns they need."""
    for start in range(0, len(weights), BAND_ROWS):
        made = slice(start, min(start + BAND_ROWS, len(weights)))
        used = np.flatnonzero(weights[made].any(axis=0))
        yield made, slice(int(used[0]), int(used[-1]) + 1)


def _cast(values: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    if not np.issubdtype(dtype, np.integer):
        return values
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def _check(array: NDArray[Any], geometry_from: VolumeGeometry, geometry_to: VolumeGeometry) -> None:
    if array.ndim < 3 or array.shape[-3:] != geometry_from.shape:
        raise InvalidGeometryError(
            f"Resampling needs an array that ends in the grid's shape {geometry_from.shape}, "
            f"got {array.shape}"
        )
    gap = np.abs(geometry_from.directions - geometry_to.directions).max()
    if gap > PARALLEL_TOLERANCE:
        raise InvalidGeometryError(
            f"Resampling needs parallel grids, direction cosines differ by {gap:.4f}; "
            "turn both to the same axes first"
        )
