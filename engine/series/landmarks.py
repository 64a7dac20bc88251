"""Median HU of aorta, liver, spleen side and kidneys in coarse masks, by classical means.

Nothing here segments an organ well; each landmark is a place where one organ dominates, and
medians do the rest. A landmark that is not found clearly is reported as missing.
"""

from dataclasses import dataclass

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from engine.values.geometry import VolumeGeometry

BODY_HU = -300.0
BONE_HU = 200.0
SOFT_TISSUE_HU = (0.0, 200.0)
LIVER_RANGE_HU = (10.0, 180.0)
AORTA_RADIUS_MM = 7.0
"""Inscribed in an abdominal aorta of 15 to 25 mm diameter."""
RING_MM = (13.0, 17.0)
"""Just outside an aorta of normal width, but inside a vertebral body."""
RING_PERCENTILE = 75
"""A quarter of the ring may touch the spine."""
VESSEL_CONTRAST_HU = 20.0
LARGEST_VESSEL_STD_HU = 20.0
FEWEST_VESSEL_SLICES = 5
SMALLEST_LIVER_ML = 250.0

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """Median HU per place; None where it was not found.

    Attributes:
        aorta_hu: Brightest round vessel in front and left of the spine.
        aorta_slices: Slices it was seen on.
        liver_hu: Largest homogeneous soft tissue on the patient's right.
        liver_ml: Its volume (coarse).
        left_organ_hu: The same on the left and back (mostly spleen).
        kidney_hu: 90th percentile of soft tissue beside the spine.
        has_spine: Whether a spine was found to measure from.
    """

    aorta_hu: float | None
    aorta_slices: int
    liver_hu: float | None
    liver_ml: float
    left_organ_hu: float | None
    kidney_hu: float | None
    has_spine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Coordinates in mm against the spine, per voxel row and column of each slice."""

    spine_rows: NDArray[np.float64]
    spine_columns: NDArray[np.float64]
    row_mm: float
    column_mm: float


def find_landmarks(hu: Floats, geometry: VolumeGeometry) -> Landmarks:
    """Find the landmarks in a coarse volume on standard axes (S, P, L)."""
    body = _largest(hu > BODY_HU, radius=1)
    frame = _find_spine(hu, body, geometry)
    if frame is None:
        return Landmarks(
            aorta_hu=None,
            aorta_slices=0,
            liver_hu=None,
            liver_ml=0.0,
            left_organ_hu=None,
            kidney_hu=None,
            has_spine=False,
        )
    aorta_hu, aorta_slices = _measure_aorta(hu, frame)
    left_mm, back_mm = _spine_coordinates(hu.shape, frame)
    organs = _homogeneous_organs(hu, body)
    liver = _largest(organs & (left_mm < -10), radius=3)
    liver_ml = float(liver.sum() * geometry.spacing.voxel_ml)
    left_organ = _largest(organs & (left_mm > 45) & (back_mm > -70), radius=2)
    return Landmarks(
        aorta_hu=aorta_hu,
        aorta_slices=aorta_slices,
        liver_hu=float(np.median(hu[liver])) if liver_ml >= SMALLEST_LIVER_ML else None,
        liver_ml=liver_ml,
        left_organ_hu=_median(hu, left_organ, geometry, fewest_ml=30.0),
        kidney_hu=_measure_kidneys(hu, body, left_mm, back_mm),
        has_spine=True,
    )


def _find_spine(hu: Floats, body: Mask, geometry: VolumeGeometry) -> _Frame | None:
    """Center of bone within 45 mm of the body's midline, in its back 65 %, per slice."""
    row_mm, column_mm = geometry.spacing.row_mm, geometry.spacing.column_mm
    bone = (hu > BONE_HU) & body
    rows = np.full(hu.shape[0], np.nan)
    columns = np.full(hu.shape[0], np.nan)
    row_index, column_index = np.arange(hu.shape[1]), np.arange(hu.shape[2])
    for index in range(hu.shape[0]):
        area = body[index]
        if area.sum() * row_mm * column_mm < 1e4:  # less than 100 cm² is no trunk
            continue
        across, along = np.flatnonzero(area.any(axis=0)), np.flatnonzero(area.any(axis=1))
        middle = (across[0] + across[-1]) / 2
        front = along[0] + 0.35 * (along[-1] - along[0])
        near = np.abs(column_index - middle) * column_mm <= 45
        weights = bone[index] & near[None, :] & (row_index >= front)[:, None]
        if weights.sum() * row_mm * column_mm < 200:
            continue
        rows[index] = np.median(np.nonzero(weights)[0])
        columns[index] = np.median(np.nonzero(weights)[1])
    if np.isfinite(rows).sum() < FEWEST_VESSEL_SLICES:
        return None
    return _Frame(
        spine_rows=_smooth(rows), spine_columns=_smooth(columns), row_mm=row_mm, column_mm=column_mm
    )


def _smooth(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running median over nine slices; missing slices take their neighbors' value."""
    index = np.arange(len(places))
    known = np.isfinite(places)
    filled = np.interp(index, index[known], places[known])
    padded = np.pad(filled, 4, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 9), axis=1))


def _spine_coordinates(shape: tuple[int, ...], frame: _Frame) -> tuple[Floats, Floats]:
    """Per voxel: mm to the patient's left and to the back of the spine's center."""
    columns = (np.arange(shape[2])[None, :] - frame.spine_columns[:, None]) * frame.column_mm
    rows = (np.arange(shape[1])[None, :] - frame.spine_rows[:, None]) * frame.row_mm
    left = np.broadcast_to(columns[:, None, :], shape).astype(np.float32)
    back = np.broadcast_to(rows[:, :, None], shape).astype(np.float32)
    return left, back


def _measure_aorta(hu: Floats, frame: _Frame) -> tuple[float | None, int]:
    """Median of the most contrasting round, homogeneous disc beside the spine, per slice."""
    found = []
    for index in range(hu.shape[0]):
        row, column = frame.spine_rows[index], frame.spine_columns[index]
        disc = _best_disc(hu[index], row, column, frame)
        if disc is not None:
            found.append(disc)
    if len(found) < max(FEWEST_VESSEL_SLICES, hu.shape[0] // 4):
        return None, len(found)
    return float(np.median(found)), len(found)


def _best_disc(plane: Floats, row: float, column: float, frame: _Frame) -> float | None:
    """Mean HU of the disc that stands out most from the ring around it."""
    rows = _span(row, -75, -5, frame.row_mm, plane.shape[0])
    columns = _span(column, -12, 42, frame.column_mm, plane.shape[1])
    centers = np.mgrid[rows.start : rows.stop, columns.start : columns.stop].reshape(2, -1)
    if not centers.size:
        return None
    disc = _take(plane, centers, _offsets(0, AORTA_RADIUS_MM, frame))
    ring = _take(plane, centers, _offsets(*RING_MM, frame))
    means = disc.mean(axis=1)
    contrast = means - np.percentile(ring, RING_PERCENTILE, axis=1)
    contrast[disc.std(axis=1) > LARGEST_VESSEL_STD_HU] = -np.inf
    best = int(contrast.argmax())
    return float(means[best]) if contrast[best] >= VESSEL_CONTRAST_HU else None


def _span(center: float, low_mm: float, high_mm: float, step_mm: float, size: int) -> range:
    return range(
        max(0, round(center + low_mm / step_mm)), min(size, round(center + high_mm / step_mm) + 1)
    )


def _offsets(inner_mm: float, outer_mm: float, frame: _Frame) -> NDArray[np.intp]:
    reach = int(outer_mm / min(frame.row_mm, frame.column_mm)) + 1
    grid = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    distance = np.hypot(grid[0] * frame.row_mm, grid[1] * frame.column_mm)
    return np.asarray(grid[:, (distance >= inner_mm) & (distance <= outer_mm)], np.intp)


def _take(plane: Floats, centers: NDArray[np.intp], offsets: NDArray[np.intp]) -> Floats:
    """Values around every center, shape (centers, offsets); edges extended."""
    rows = np.clip(centers[0][:, None] + offsets[0], 0, plane.shape[0] - 1)
    columns = np.clip(centers[1][:, None] + offsets[1], 0, plane.shape[1] - 1)
    return np.asarray(plane[rows, columns], np.float32)


def _homogeneous_organs(hu: Floats, body: Mask) -> Mask:
    """Soft tissue whose surroundings are soft tissue of nearly the same HU."""
    smooth = _in_plane_mean(hu, 2)
    low, high = LIVER_RANGE_HU
    return np.asarray(body & (smooth > low) & (smooth < high) & (np.abs(hu - smooth) < 35))


def _measure_kidneys(hu: Floats, body: Mask, left_mm: Floats, back_mm: Floats) -> float | None:
    beside = (np.abs(left_mm) > 30) & (np.abs(left_mm) < 85) & (back_mm > -50) & (back_mm < 30)
    thick = _open(body & beside & (hu > SOFT_TISSUE_HU[0]) & (hu < 450), radius=2)
    return float(np.percentile(hu[thick], 90)) if thick.sum() > 200 else None


def _median(hu: Floats, mask: Mask, geometry: VolumeGeometry, *, fewest_ml: float) -> float | None:
    enough = mask.sum() * geometry.spacing.voxel_ml >= fewest_ml
    return float(np.median(hu[mask])) if enough else None


def _open(mask: Mask, *, radius: int) -> Mask:
    """Opening with a box of 2·radius + 1 voxels in the plane and three slices."""
    reach = (1, radius, radius)
    eroded = ~_dilate(~mask, reach)
    return _dilate(eroded, reach)


def _dilate(mask: Mask, reach: tuple[int, int, int]) -> Mask:
    """Or over a box, axis by axis; nothing lies outside the array."""
    grown = mask
    for axis, steps in enumerate(reach):
        source, grown = grown, grown.copy()
        for step in range(1, steps + 1):
            ahead = _axis_slice(axis, slice(step, None))
            behind = _axis_slice(axis, slice(None, -step))
            grown[ahead] |= source[behind]
            grown[behind] |= source[ahead]
    return grown


def _axis_slice(axis: int, part: slice) -> tuple[slice, ...]:
    return tuple(part if i == axis else slice(None) for i in range(3))


def _in_plane_mean(hu: Floats, radius: int) -> Floats:
    """Mean over a square of 2·radius + 1 pixels, edges extended."""
    width = 2 * radius + 1
    mean = hu
    for axis in (1, 2):
        pad = [(0, 0)] * 3
        pad[axis] = (radius, radius)
        padded = np.pad(mean, pad, mode="edge")
        size = hu.shape[axis]
        parts = [padded[_axis_slice(axis, slice(k, k + size))] for k in range(width)]
        mean = np.asarray(sum(parts[1:], parts[0]) / np.float32(width), np.float32)
    return mean


def _largest(mask: Mask, *, radius: int) -> Mask:
    image = SimpleITK.GetImageFromArray(_open(mask, radius=radius).astype(np.uint8))
    sorted_parts = SimpleITK.RelabelComponent(SimpleITK.ConnectedComponent(image))
    return np.asarray(SimpleITK.GetArrayFromImage(sorted_parts) == 1)
