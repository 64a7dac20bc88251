"""From a CT and a mask to the region that is measured: resampling, re-segmentation (IBSI 2.4, 2.6).

The new grid is centered on the old one (IBSI "align by center") and covers it:
n_new = ceil(n_old · old spacing / new spacing). Only the part of it that the region and its
margins need is computed, with the same values that resampling the whole image would give.
"""

import ctypes
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import RegionError
from engine.radiomics.native import Mask, Real, find_box, load_core, pointer, shape_of
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """One axis of the old grid and the new one; positions are in old samples."""

    samples: int
    new_samples: int
    ratio: float
    start: float

    @classmethod
    def plan(cls, samples: int, old_mm: float, new_mm: float) -> "_Axis":
        ratio = new_mm / old_mm
        if math.isclose(ratio, 1.0, rel_tol=1e-9):
            return cls(samples=samples, new_samples=samples, ratio=1.0, start=0.0)
        new_samples = max(1, math.ceil(samples / ratio - 1e-9))
        start = (samples - 1 - (new_samples - 1) * ratio) / 2
        return cls(samples=samples, new_samples=new_samples, ratio=ratio, start=start)

    def positions(self, window: slice) -> Real:
        """Positions of a window of new samples, less than half a sample off the old grid."""
        return self.start + np.arange(window.start, window.stop) * self.ratio

    def window(self, first: float, last: float) -> slice:
        """New samples whose positions lie in a range of old ones."""
        start = math.ceil((first - self.start) / self.ratio - 1e-9)
        stop = math.floor((last - self.start) / self.ratio + 1e-9) + 1
        return slice(max(0, start), min(self.new_samples, stop))


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
) -> list[_Axis]:
    axes = []
    for samples, old_mm, wanted_mm in zip(shape, spacing_mm, settings.spacing_mm, strict=True):
        keep = wanted_mm is None or settings.interpolation is Interpolation.NONE
        axes.append(_Axis.plan(samples, old_mm, old_mm if keep or wanted_mm is None else wanted_mm))
    return axes


def _resample_mask(mask: Mask, axes: list[_Axis], threshold: float) -> tuple[Box, Mask]:
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
            partial = _interpolate_linear(partial, axis, plan, windows[axis], crop[axis].start)
        else:
            start = windows[axis].start - crop[axis].start
            partial = partial.take(range(start, start + _size(windows[axis])), axis)
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


def _widen(box: Box, margins: Triple | None, axes: list[_Axis]) -> Box:
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
    voxels: NDArray[np.generic], axes: list[_Axis], outer: Box, settings: RadiomicsSettings
) -> Real:
    spline = settings.interpolation is Interpolation.CUBIC_SPLINE
    reach = SPLINE_REACH if spline else 1
    crop = []
    for plan, window in zip(axes, outer, strict=True):
        positions = plan.positions(window)
        first, last = max(0, math.floor(positions[0])), math.ceil(positions[-1])
        extra = 0 if plan.ratio == 1.0 else reach
        crop.append(slice(max(0, first - extra), min(plan.samples, last + extra + 1)))
    image = np.array(voxels[tuple(crop)], np.float64, order="C")  # a copy: worked on in place
    if not np.isfinite(image).all():
        bad = int((~np.isfinite(image)).sum())
        raise RegionError(
            f"{bad} intensities in or near the region are not finite; extraction needs finite "
            f"intensities in rows {crop[1].start}..{crop[1].stop - 1}, columns "
            f"{crop[2].start}..{crop[2].stop - 1}, slices {crop[0].start}..{crop[0].stop - 1}"
        )
    resampled = False
    for axis, plan in enumerate(axes):
        if plan.ratio == 1.0:
            continue
        interpolate = _interpolate_spline if spline else _interpolate_linear
        image = interpolate(image, axis, plan, outer[axis], crop[axis].start)
        resampled = True
    return np.rint(image) if resampled and settings.round_intensities else image


def _interpolate_linear(data: Real, axis: int, plan: _Axis, window: slice, offset: int) -> Real:
    positions = np.clip(plan.positions(window), 0, plan.samples - 1) - offset
    first = np.clip(np.floor(positions), 0, max(0, data.shape[axis] - 2))
    if data.shape[axis] == 1:
        return np.repeat(data, _size(window), axis)
    fraction = positions - first
    weights = np.stack([1 - fraction, fraction], axis=1)
    return _apply(data, axis, first.astype(np.int64), weights)


def _interpolate_spline(data: Real, axis: int, plan: _Axis, window: slice, offset: int) -> Real:
    """Cubic B-spline interpolation with mirrored boundaries (doi:10.1109/79.799930).

    Beyond the outermost samples the mirrored spline goes on, as in ITK.
    """
    if data.shape[axis] < 4:
        return _interpolate_linear(data, axis, plan, window, offset)
    load_core().prefilter_axis(pointer(data), shape_of(data), axis)
    positions = plan.positions(window) - offset
    base = np.floor(positions)
    t = positions - base
    weights = np.stack(
        [
            (1 - t) ** 3 / 6,
            (3 * t**3 - 6 * t**2 + 4) / 6,
            (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
            t**3 / 6,
        ],
        axis=1,
    )
    first = base.astype(np.int64) - 1
    if first[0] < 0 or first[-1] + 4 > data.shape[axis]:
        data = np.pad(data, [(2, 2) if a == axis else (0, 0) for a in range(3)], mode="reflect")
        first += 2
    return _apply(data, axis, first, weights)


def _apply(data: Real, axis: int, first: NDArray[np.int64], weights: Real) -> Real:
    shape = list(data.shape)
    shape[axis] = len(first)
    out = np.empty(shape)
    load_core().interpolate_axis(
        pointer(data),
        shape_of(data),
        axis,
        pointer(first),
        pointer(np.ascontiguousarray(weights)),
        weights.shape[1],
        ctypes.c_int64(len(first)),
        pointer(out),
    )
    return out


def _size(window: slice) -> int:
    return int(window.stop - window.start)
