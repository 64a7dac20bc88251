"""From a CT and a mask to the region that is measured: resampling, re-segmentation (IBSI 2.4, 2.6).

The new grid is centered on the old one (IBSI "align by center") and covers it:
n_new = ceil(n_old · old spacing / new spacing). Only the part of it that the region and its
margins need is computed, with the same values that resampling the whole image would give.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import RegionError
from engine.radiomics.interpolation import (
    Axis,
    interpolate_planes,
    interpolate_slices,
    plan_weights,
)
from engine.radiomics.native import Mask, Real, find_box
from engine.radiomics.settings import Interpolation, RadiomicsSettings

SPLINE_REACH = 16
"""Samples after which the spline prefilter has forgotten a sample (0.268^16 < 1e-9)."""
TIE_TOLERANCE = 1e-9
"""A partial volume this close below the threshold is a tie lost to rounding."""

Triple = tuple[int, int, int]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRegion:
    """A region after interpolation and re-segmentation.

    Attributes:
        image: Intensities of the box and its margins, cut where the image ends.
        box: Where the masks lie in ``image``.
        morphological: Morphological mask, shape of the box.
        intensity: Intensity mask (re-segmented), shape of the box.
        spacing_mm: (slice, row, column) distances between voxel centers.
        grid_shape: Shape of the whole resampled image.
    """

    image: Real = field(repr=False)
    box: Box
    morphological: Mask = field(repr=False)
    intensity: Mask = field(repr=False)
    spacing_mm: tuple[float, float, float]
    grid_shape: Triple


def prepare_region(
    voxels: NDArray[np.generic],
    mask: Mask,
    spacing_mm: tuple[float, float, float],
    settings: RadiomicsSettings,
    *,
    margins: Triple | None,
) -> PreparedRegion:
    """Resample a region and its surroundings and build its two masks.

    Args:
        voxels: Intensities, shape (slice, row, column).
        mask: Region on the same grid, at least one voxel.
        spacing_mm: Spacing of the grid.
        settings: Extraction settings.
        margins: Voxels of the new grid to keep around the region; None: the whole image.

    Raises:
        RegionError: The region vanishes on the new grid or under re-segmentation, or an
            intensity that is needed is not finite.
    """
    axes = _plan_axes(voxels.shape, spacing_mm, settings)
    box, morphological = _resample_mask(mask, axes, settings.mask_threshold)
    outer = _widen(box, margins, axes)
    image = _resample_image(voxels, axes, outer, settings)
    inner = (
        slice(box[0].start - outer[0].start, box[0].stop - outer[0].start),
        slice(box[1].start - outer[1].start, box[1].stop - outer[1].start),
        slice(box[2].start - outer[2].start, box[2].stop - outer[2].start),
    )
    new_mm = [a.ratio * mm for a, mm in zip(axes, spacing_mm, strict=True)]
    return PreparedRegion(
        image=image,
        box=inner,
        morphological=morphological,
        intensity=resegment(image[inner], morphological, settings),
        spacing_mm=(new_mm[0], new_mm[1], new_mm[2]),
        grid_shape=(axes[0].new_samples, axes[1].new_samples, axes[2].new_samples),
    )


def resegment(image: Real, mask: Mask, settings: RadiomicsSettings) -> Mask:
    """Intensity mask: the voxels inside the range that are no outliers (IBSI 2.6).

    Outliers are judged by mean and standard deviation of what the range has left.

    Raises:
        RegionError: No voxel is left.
    """
    kept = mask.copy()
    if settings.resegmentation_range is not None:
        low, high = settings.resegmentation_range
        if low is not None:
            kept &= image >= low
        if high is not None:
            kept &= image <= high
    if settings.resegmentation_sigma is not None and kept.any():
        mean, deviation = image[kept].mean(), image[kept].std()
        reach = settings.resegmentation_sigma * deviation
        kept &= (image >= mean - reach) & (image <= mean + reach)
    if not kept.any():
        values = image[mask]
        raise RegionError(
            f"No voxel of the region is left after re-segmentation to "
            f"{settings.resegmentation_range}; its intensities are "
            f"{values.min():.0f}..{values.max():.0f}"
        )
    return kept


def _plan_axes(
    shape: tuple[int, ...], spacing_mm: tuple[float, float, float], settings: RadiomicsSettings
) -> list[Axis]:
    axes = []
    for samples, old_mm, wanted_mm in zip(shape, spacing_mm, settings.spacing_mm, strict=True):
        keep = wanted_mm is None or settings.interpolation is Interpolation.NONE
        axes.append(Axis.plan(samples, old_mm, old_mm if keep or wanted_mm is None else wanted_mm))
    return axes


def _resample_mask(mask: Mask, axes: list[Axis], threshold: float) -> tuple[Box, Mask]:
    """Box of the region on the new grid and the morphological mask inside it."""
    windows, crop = [], []
    filled = find_box(mask)
    if filled is None:
        raise RegionError("The region is empty: no voxel of the mask is set")
    for (first, last), plan in zip(filled, axes, strict=True):
        windows.append(plan.window(first - 1, last + 1))
        crop.append(slice(max(0, first - 2), min(plan.samples, last + 3)))
    partial = mask[tuple(crop)].astype(np.float64)
    for axis, plan in enumerate(axes):
        if plan.ratio != 1.0:
            linear = plan_weights(plan, windows[axis], crop[axis], spline=False)
            partial = np.moveaxis(partial, axis, 0)
            partial = interpolate_slices(np.ascontiguousarray(partial), linear)
            partial = np.moveaxis(partial, 0, axis)
        else:
            start = windows[axis].start - crop[axis].start
            partial = partial.take(
                range(start, start + windows[axis].stop - windows[axis].start), axis
            )
    region = partial >= threshold - TIE_TOLERANCE
    if not region.any():
        raise RegionError(
            f"The region of {int(mask.sum())} voxels vanishes on the resampled grid: no new voxel "
            f"lies at least {threshold:g} inside it; use a finer spacing"
        )
    box = [slice(first, last + 1) for first, last in find_box(region) or ()]
    start = [w.start for w in windows]
    return (
        slice(start[0] + box[0].start, start[0] + box[0].stop),
        slice(start[1] + box[1].start, start[1] + box[1].stop),
        slice(start[2] + box[2].start, start[2] + box[2].stop),
    ), np.ascontiguousarray(region[tuple(box)])


def _widen(box: Box, margins: Triple | None, axes: list[Axis]) -> Box:
    if margins is None:
        return (
            slice(0, axes[0].new_samples),
            slice(0, axes[1].new_samples),
            slice(0, axes[2].new_samples),
        )
    widened = [
        slice(max(0, part.start - margin), min(plan.new_samples, part.stop + margin))
        for part, margin, plan in zip(box, margins, axes, strict=True)
    ]
    return (widened[0], widened[1], widened[2])


def _resample_image(
    voxels: NDArray[np.generic], axes: list[Axis], outer: Box, settings: RadiomicsSettings
) -> Real:
    spline = settings.interpolation is Interpolation.CUBIC_SPLINE
    reach = SPLINE_REACH if spline else 1
    crop = []
    for plan, window in zip(axes, outer, strict=True):
        positions = plan.positions(window)
        first, last = max(0, math.floor(positions[0])), math.ceil(positions[-1])
        extra = 0 if plan.ratio == 1.0 else reach
        crop.append(slice(max(0, first - extra), min(plan.samples, last + extra + 1)))
    image = voxels[tuple(crop)]
    _require_finite(image, crop)
    weights = [
        plan_weights(plan, outer[axis], crop[axis], spline=spline) for axis, plan in enumerate(axes)
    ]
    resampled = any(plan.ratio != 1.0 for plan in axes)
    if weights[0].taps:
        # a copy: worked on in place
        image = interpolate_slices(np.array(image, np.float64, order="C"), weights[0])
    return interpolate_planes(
        image, weights[1:], round_intensities=resampled and settings.round_intensities
    )


def _require_finite(image: NDArray[np.generic], crop: list[slice]) -> None:
    if np.issubdtype(image.dtype, np.integer) or np.isfinite(image).all():
        return
    bad = int((~np.isfinite(image)).sum())
    raise RegionError(
        f"{bad} intensities in or near the region are not finite; extraction needs finite "
        f"intensities in rows {crop[1].start}..{crop[1].stop - 1}, columns "
        f"{crop[2].start}..{crop[2].stop - 1}, slices {crop[0].start}..{crop[0].stop - 1}"
    )
