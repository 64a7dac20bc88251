"""Diameters are exact on shapes whose size is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.lesions.diameters import (
    convex_hull,
    longest_distance,
    surface_points,
    widest_chord_across,
)


def test_a_single_pixel_is_one_pixel_wide() -> None:
    points = surface_points(np.ones((1, 1), bool))
    assert sorted(map(tuple, points.tolist())) == [(-0.5, 0), (0, -0.5), (0, 0.5), (0.5, 0)]


def test_a_bar_is_as_long_as_its_voxels_not_as_their_centers() -> None:
    mask = np.zeros((5, 30), bool)
    mask[2, 3:23] = True
    length, _ = longest_distance(surface_points(mask))
    assert length == pytest.approx(20.0)


@pytest.mark.parametrize("radius", [4.3, 7.9, 15.25])
def test_a_disk_reads_its_diameter_to_one_pixel_never_short(radius: float) -> None:
    """The stated bias of half-way points: between zero and one pixel, on average."""
    lengths = []
    for shift in np.linspace(0, 0.9, 7):
        y, x = np.mgrid[:41, :41]
        disk = (y - 20 - shift) ** 2 + (x - 20 + shift / 3) ** 2 <= radius**2
        lengths.append(longest_distance(convex_hull(surface_points(disk)))[0])
    assert 0 <= np.mean(lengths) - 2 * radius <= 1


def test_the_hull_drops_inner_and_collinear_points() -> None:
    square = np.array([[0, 0], [0, 2], [2, 2], [2, 0], [1, 1], [0, 1]], float)
    assert len(convex_hull(square)) == 4


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=60))
def test_the_farthest_points_lie_on_the_hull(points: list[tuple[int, int]]) -> None:
    array = np.array(points, float)
    assert longest_distance(convex_hull(array))[0] == pytest.approx(longest_distance(array)[0])


def test_the_chord_across_an_ellipse_is_its_short_axis() -> None:
    angles = np.linspace(0, 2 * math.pi, 721)
    tilt = math.radians(30)
    turn = np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]])
    ellipse = np.column_stack([20 * np.cos(angles), 9 * np.sin(angles)]) @ turn.T
    hull = convex_hull(ellipse)
    length, ends = longest_distance(hull)
    width, across = widest_chord_across(hull, ends)
    assert length == pytest.approx(40, abs=0.01)
    assert width == pytest.approx(18, abs=0.01)
    assert abs((ends[1] - ends[0]) @ (across[1] - across[0])) < 1e-9


def test_a_line_has_no_width() -> None:
    width, _ = widest_chord_across(np.array([[0.0, 0.0], [3.0, 0.0]]), np.array([[0.0, 0], [3, 0]]))
    assert width == 0
