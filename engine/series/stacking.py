"""Decide the regular grid that a stack of slices lies on, or can be brought onto.

Rules, in this order (all numbers below are the module's constants):

1. Slices within 0.01 mm of each other lie at one place: only one may remain there.
2. The spacing is the median gap. Gaps of more than 1.5 spacings are missing slices.
3. The stack is regular when every slice lies within 5 % of the spacing (or 0.11 mm, the
   rounding of positions to a tenth of a millimeter) of its place; it is then left untouched.
4. Missing slices, and slices off the regular places, are interpolated linearly between their
   neighbors, as long as no gap exceeds 3 spacings and 10 mm. Larger gaps are refused: a
   lesion of 1 cm could hide in them.
5. Slices whose corners drift sideways by at most a quarter pixel over the whole stack are
   straight. A drift in proportion to the height is a tilted gantry: each slice is shifted
   back in its own plane. More than 30° (the mechanical limit of CT gantries) or a drift out
   of proportion by more than half a pixel is refused.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidGeometryError
from engine.series.planes import Plane

SAME_PLACE_MM = 0.01
MISSING_GAP = 1.5
PLACE_TOLERANCE = 0.05
PLACE_TOLERANCE_MM = 0.11
LARGEST_GAP = 3.0
LARGEST_GAP_MM = 10.0
STRAIGHT_PIXELS = 0.25
PROPORTIONAL_PIXELS = 0.5
LARGEST_TILT_DEGREES = 30.0
ROUNDING = 1e-6
DECIMALS = 6
"""Spacings are rounded to a nanometer; positions carry no more."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceMix:
    """One output slice: ``(1 - upper_weight) · lower + upper_weight · upper``."""

    lower: int
    upper: int
    upper_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """How sorted slices become a regular grid.

    Attributes:
        slice_mm: Distance between output slices.
        mixes: One per output slice, indices into the sorted slices.
        shifts_mm: In-plane drift of each sorted slice (row, column direction) against the
            first one, shape (n, 2); None for a straight stack.
        tilt_degrees: Angle between the stacking direction and the normal.
        notes: What is done to the slices, in words.
    """

    slice_mm: float
    mixes: tuple[SliceMix, ...]
    shifts_mm: Floats | None
    tilt_degrees: float
    notes: tuple[str, ...]

    @property
    def is_untouched(self) -> bool:
        """True when every output slice is one source slice as it is."""
        return self.shifts_mm is None and all(mix.upper_weight == 0 for mix in self.mixes)


def plan_stack(planes: tuple[Plane, ...]) -> Stack:
    """Plan the grid of sorted slices that share orientation, matrix and pixel spacing.

    Raises:
        InvalidGeometryError: Fewer than two places, two slices at one place, a gap, a tilt or
            a drift beyond the rules of this module.
    """
    if len(planes) < 2:
        raise InvalidGeometryError(
            "A volume needs at least 2 slices at different places, got 1; send the whole series"
        )
    positions = np.array([plane.position_mm for plane in planes])
    heights = positions @ planes[0].normal
    heights = heights - heights[0]
    gaps = np.diff(heights)
    if gaps.min() <= SAME_PLACE_MM:
        raise InvalidGeometryError(
            f"Two slices lie at one place ({heights[int(gaps.argmin())]:.2f} mm above the first)"
        )
    spacing = round(float(np.median(gaps)), DECIMALS)
    _check_gaps(gaps, spacing)
    shifts, tilt, tilt_notes = _plan_shifts(planes, positions, heights)
    places, slice_mm = _regular_places(heights, spacing)
    if places is not None:
        mixes, notes = _fill_missing(places)
    else:
        mixes, notes = _interpolate_all(heights, spacing)
    return Stack(
        slice_mm=slice_mm,
        mixes=mixes,
        shifts_mm=shifts,
        tilt_degrees=tilt,
        notes=(*tilt_notes, *notes),
    )


def keep_places(planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
    """The first slice at every place, whatever the others hold (for looking at geometry)."""
    kept = list(planes[:1])
    for plane in planes[1:]:
        offset = np.subtract(plane.position_mm, kept[-1].position_mm)
        if float(np.linalg.norm(offset)) > SAME_PLACE_MM:
            kept.append(plane)
    return tuple(kept)


def _check_gaps(gaps: Floats, spacing: float) -> None:
    widest = float(gaps.max())
    if widest <= MISSING_GAP * spacing:
        return
    if widest > LARGEST_GAP * spacing + ROUNDING or widest > LARGEST_GAP_MM + ROUNDING:
        raise InvalidGeometryError(
            f"Slices are missing: a gap of {widest:.2f} mm in a spacing of {spacing:.2f} mm, at "
            f"most {LARGEST_GAP:g} spacings and {LARGEST_GAP_MM:g} mm can be interpolated; "
            "send the series again"
        )


def _regular_places(heights: Floats, spacing: float) -> tuple[NDArray[np.intp] | None, float]:
    """Index of each slice on a regular grid through the outer slices; None when irregular."""
    steps = np.maximum(1, np.rint(np.diff(heights) / spacing)).astype(np.intp)
    places = np.concatenate([[0], np.cumsum(steps)])
    slice_mm = round(float(heights[-1] / places[-1]), DECIMALS)
    error = np.abs(heights - places * slice_mm).max()
    if error <= max(PLACE_TOLERANCE * slice_mm, PLACE_TOLERANCE_MM):
        return places, slice_mm
    return None, spacing


def _fill_missing(places: NDArray[np.intp]) -> tuple[tuple[SliceMix, ...], tuple[str, ...]]:
    mixes: list[SliceMix] = []
    for index in range(len(places) - 1):
        gap = int(places[index + 1] - places[index])
        mixes += [
            SliceMix(lower=index, upper=index + 1 if step else index, upper_weight=step / gap)
            for step in range(gap)
        ]
    last = len(places) - 1
    mixes.append(SliceMix(lower=last, upper=last, upper_weight=0.0))
    filled = len(mixes) - len(places)
    return tuple(mixes), (f"{filled} missing slices interpolated",) if filled else ()


def _interpolate_all(
    heights: Floats, spacing: float
) -> tuple[tuple[SliceMix, ...], tuple[str, ...]]:
    mixes: list[SliceMix] = []
    count = math.floor(heights[-1] / spacing + ROUNDING) + 1
    for height in np.arange(count) * spacing:
        upper = int(np.clip(np.searchsorted(heights, height), 1, len(heights) - 1))
        lower = upper - 1
        weight = float((height - heights[lower]) / (heights[upper] - heights[lower]))
        if weight <= ROUNDING:
            mixes.append(SliceMix(lower=lower, upper=lower, upper_weight=0.0))
        elif weight >= 1 - ROUNDING:
            mixes.append(SliceMix(lower=upper, upper=upper, upper_weight=0.0))
        else:
            mixes.append(SliceMix(lower=lower, upper=upper, upper_weight=weight))
    return tuple(mixes), (f"non-uniform slices resampled to {spacing:.3f} mm",)


def _plan_shifts(
    planes: tuple[Plane, ...], positions: Floats, heights: Floats
) -> tuple[Floats | None, float, tuple[str, ...]]:
    first = planes[0]
    in_plane = np.array([first.row_direction, first.column_direction]).T
    pixel = np.array([first.row_mm, first.column_mm])
    drift = (positions - positions[0]) @ in_plane
    if (np.abs(drift) <= STRAIGHT_PIXELS * pixel).all():
        return None, 0.0, ()
    slope = drift[-1] / heights[-1]
    stray = np.abs(drift - heights[:, None] * slope)
    if (stray > PROPORTIONAL_PIXELS * pixel).any():
        raise InvalidGeometryError(
            f"Slices drift sideways irregularly, by up to {stray.max():.2f} mm; "
            "they are no single scan"
        )
    tilt = math.degrees(math.atan(float(np.hypot(*slope))))
    if tilt > LARGEST_TILT_DEGREES:
        raise InvalidGeometryError(
            f"Slices are stacked {tilt:.1f}° off their normal, a tilted gantry reaches at most "
            f"{LARGEST_TILT_DEGREES:g}°"
        )
    return drift, tilt, (f"gantry tilt of {tilt:.1f}° straightened",)
