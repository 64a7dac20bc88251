"""The rules that make a regular grid of a stack, one by one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidGeometryError
from engine.series.grouping import group_series
from engine.series.input import scan_study
from engine.series.planes import Plane
from engine.series.stacking import Stack, keep_places, plan_stack
from tests.phantoms.dicom_series import ct_series, gradient_hu, write_series


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Plane:
    """One axial plane of 0.8 × 0.7 mm pixels."""
    folder: Path = tmp_path_factory.mktemp("plane")
    write_series(ct_series(gradient_hu(2)), folder)
    return group_series(scan_study(folder)).groups[0].planes[0]


def _stack(template: Plane, heights: list[float], drift: float = 0.0) -> Stack:
    return plan_stack(
        tuple(
            replace(template, position_mm=(0.0, drift * height, float(height)))
            for height in heights
        )
    )


def _heights(stack: Stack, heights: list[float]) -> list[float]:
    return [
        heights[m.lower] + m.upper_weight * (heights[m.upper] - heights[m.lower])
        for m in stack.mixes
    ]


def test_regular_slices_are_untouched(template: Plane) -> None:
    stack = _stack(template, [0, 2.5, 5, 7.5])
    assert stack.is_untouched
    assert stack.slice_mm == 2.5
    assert stack.notes == ()


def test_slices_within_five_percent_of_their_place_are_untouched(template: Plane) -> None:
    assert _stack(template, [0, 5.2, 10, 15]).is_untouched
    assert not _stack(template, [0, 5.6, 10, 15]).is_untouched


@given(gaps=st.lists(st.floats(1.0, 2.0), min_size=3, max_size=30))
@settings(max_examples=60, deadline=None)
def test_output_slices_lie_on_a_regular_grid_inside_the_stack(
    template: Plane, gaps: list[float]
) -> None:
    """Whatever the gaps, an output slice is off its place by at most the tolerance."""
    heights = [0.0, *np.cumsum(gaps).tolist()]
    stack = _stack(template, heights)
    made = np.array(_heights(stack, heights))
    wanted = np.arange(len(made)) * stack.slice_mm
    assert np.abs(made - wanted).max() <= max(0.05 * stack.slice_mm, 0.11) + 1e-3
    assert made[-1] <= heights[-1] + 1e-3


def test_two_missing_slices_are_weighted_by_distance(template: Plane) -> None:
    stack = _stack(template, [0, 2, 4, 10, 12, 14])
    weights = [(m.lower, m.upper, round(m.upper_weight, 3)) for m in stack.mixes[2:6]]
    assert weights == [(2, 2, 0.0), (2, 3, 0.333), (2, 3, 0.667), (3, 3, 0.0)]


@pytest.mark.parametrize("gap", [6.3, 20.0])
def test_a_wider_gap_is_refused(template: Plane, gap: float) -> None:
    with pytest.raises(InvalidGeometryError, match="Slices are missing"):
        _stack(template, [0, 2, 4, 4 + gap, 6 + gap, 8 + gap])


def test_a_drift_below_a_quarter_pixel_is_straight(template: Plane) -> None:
    heights = [2.0 * k for k in range(20)]
    assert _stack(template, heights, drift=0.2 / 38).shifts_mm is None
    assert _stack(template, heights, drift=0.4 / 38).shifts_mm is not None


def test_the_tilt_is_measured(template: Plane) -> None:
    stack = _stack(template, [2.0 * k for k in range(20)], drift=float(np.tan(np.radians(15))))
    assert stack.tilt_degrees == pytest.approx(15)


def test_two_slices_at_one_place_are_refused_here(template: Plane) -> None:
    with pytest.raises(InvalidGeometryError, match="Two slices lie at one place"):
        _stack(template, [0, 2, 2, 4])


def test_places_are_kept_once(template: Plane) -> None:
    assert len(keep_places((template, template))) == 1
