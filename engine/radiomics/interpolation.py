"""Linear and cubic spline interpolation of volumes, one axis at a time (IBSI 2.4)."""

import ctypes
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.radiomics.native import (
    Real,
    address,
    load_core,
    pointer,
    require_memory,
    shape_of,
    start_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of the old grid and the new one; positions are in old samples."""

    samples: int
    new_samples: int
    ratio: float
    start: float

    @classmethod
    def plan(cls, samples: int, old_mm: float, new_mm: float) -> "Axis":
        """Plan an axis of some samples for another spacing; grids are aligned by center."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How new samples of an axis are weighted sums of old ones.

    Attributes:
        first: Index of each new sample's first old one; the core mirrors what lies outside.
        weights: (new samples, taps); without taps the axis stays as it is.
        samples: Number of old samples.
        spline: The old samples must become spline coefficients first.
    """

    first: NDArray[np.int64]
    weights: Real
    samples: int
    spline: bool

    @property
    def taps(self) -> int:
        """Old samples per new one."""
        return int(self.weights.shape[1])

    @property
    def resampled(self) -> int:
        """Number of new samples."""
        return len(self.first) if self.taps else self.samples


class _AxisPlan(ctypes.Structure):
    """``AxisPlan`` of interpolation.c."""

    _fields_ = (
        ("first", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("samples", ctypes.c_int64),
        ("resampled", ctypes.c_int64),
        ("taps", ctypes.c_int32),
        ("spline", ctypes.c_int32),
    )


def plan_weights(plan: Axis, window: slice, crop: slice, *, spline: bool) -> Weights:
    """Weights of an axis.

    The cubic B-spline has mirrored boundaries (doi:10.1109/79.799930); beyond the outermost
    samples the mirrored spline goes on, as in ITK.

    Args:
        plan: Old and new grid along the axis.
        window: New samples that are wanted.
        crop: Old samples that are there.
        spline: Cubic spline instead of linear; linear all the same for fewer than 4 samples.
    """
    samples = int(crop.stop - crop.start)
    if plan.ratio == 1.0:
        return _weigh(np.zeros(0, np.int64), np.zeros((0, 0)), samples)
    positions = plan.positions(window)
    if spline and samples >= 4:
        positions = positions - crop.start
        base = np.floor(positions)
        first = base.astype(np.int64) - 1
        return _weigh(first, _spline_weights(positions - base), samples, spline=True)
    if samples == 1:
        return _weigh(np.zeros(len(positions), np.int64), np.ones((len(positions), 1)), samples)
    positions = np.clip(positions, 0, plan.samples - 1) - crop.start
    first = np.clip(np.floor(positions), 0, samples - 2).astype(np.int64)
    fraction = positions - first
    return _weigh(first, np.stack([1 - fraction, fraction], axis=1), samples)


def _weigh(
    first: NDArray[np.int64], weights: Real, samples: int, *, spline: bool = False
) -> Weights:
    return Weights(
        first=first, weights=np.ascontiguousarray(weights), samples=samples, spline=spline
    )


def _spline_weights(t: Real) -> Real:
    """Weights of four neighboring coefficients for positions t in [0, 1) between the middle two."""
    return np.stack(
        [
            (1 - t) ** 3 / 6,
            (3 * t**3 - 6 * t**2 + 4) / 6,
            (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
            t**3 / 6,
        ],
        axis=1,
    )


def interpolate_slices(volume: Real, weights: Weights) -> Real:
    """Resample the first axis; the volume is overwritten."""
    first = weights.first
    if weights.spline:
        load_core().prefilter_slices(pointer(volume), shape_of(volume))
        if first[0] < 0 or first[-1] + weights.taps > len(volume):
            volume = np.pad(volume, ((2, 2), (0, 0), (0, 0)), mode="reflect")
            first = first + 2
    out = np.empty((len(first), *volume.shape[1:]))
    load_core().interpolate_axis(
        pointer(volume),
        shape_of(volume),
        0,
        pointer(first),
        pointer(weights.weights),
        weights.taps,
        ctypes.c_int64(len(first)),
        pointer(out),
    )
    return out


def interpolate_planes(
    image: NDArray[np.generic], weights: list[Weights], *, round_intensities: bool
) -> Real:
    """Resample rows and columns, slice by slice, and round."""
    whole = image.dtype == np.int16
    if not whole:
        image = image.astype(np.float64, copy=False)
    if image.strides[2] != image.itemsize or image.strides[0] % image.itemsize:
        image = np.ascontiguousarray(image)
    plans = (_AxisPlan * 2)(
        *(
            _AxisPlan(
                address(w.first), address(w.weights), w.samples, w.resampled, w.taps, w.spline
            )
            for w in weights
        )
    )
    out = np.empty((len(image), weights[0].resampled, weights[1].resampled))
    done = load_core().resample_planes(
        start_of(image),
        int(whole),
        (ctypes.c_int64 * 2)(*(step // image.itemsize for step in image.strides[:2])),
        ctypes.c_int64(len(image)),
        plans,
        int(round_intensities),
        pointer(out),
    )
    require_memory(done, "resampling")
    return out
