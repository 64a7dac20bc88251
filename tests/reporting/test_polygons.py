"""Polygons give back the mask they came from, pixel by pixel, holes and corners included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine.reporting.polygons import find_polygons, signed_area

masks = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def fill(polygons: list[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels whose center is inside a polygon: crossings of a ray to the right, odd or even."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(float)
    filled = np.zeros(shape, bool)
    for polygon in polygons:
        inside = np.zeros(shape, bool)
        for (r0, c0), (r1, c1) in zip(polygon, np.roll(polygon, -1, 0), strict=True):
            if r0 == r1:
                continue
            crosses = (r0 > rows) != (r1 > rows)
            inside ^= crosses & (columns < c0 + (rows - r0) * (c1 - c0) / (r1 - r0))
        assert not (filled & inside).any(), "polygons overlap"
        filled |= inside
    return filled


@given(masks)
def test_the_polygons_of_a_mask_are_the_mask(mask: NDArray[np.bool_]) -> None:
    """Area to the pixel, and every pixel center on its own side."""
    polygons = find_polygons(mask)
    assert sum(map(signed_area, polygons)) == mask.sum()
    np.testing.assert_array_equal(fill(polygons, mask.shape), mask)


def test_a_hole_is_joined_by_a_keyhole() -> None:
    """A frame of 5 × 5 pixels around one: one polygon with the channel walked twice."""
    mask = np.ones((5, 5), bool)
    mask[2, 2] = False
    (polygon,) = find_polygons(mask)
    assert signed_area(polygon) == 24
    assert [1.5, -0.5] in polygon.tolist()
    assert polygon.tolist().count([1.5, -0.5]) == 2


def test_an_island_in_a_hole_is_a_polygon_of_its_own() -> None:
    mask = np.ones((7, 7), bool)
    mask[1:6, 1:6] = False
    mask[3, 3] = True
    assert [signed_area(p) for p in find_polygons(mask)] == [24, 1]


def test_pixels_that_meet_in_a_corner_are_two_polygons() -> None:
    mask = np.eye(2, dtype=bool)
    assert [signed_area(p) for p in find_polygons(mask)] == [1, 1]


def test_a_straight_side_has_no_corner_between() -> None:
    (polygon,) = find_polygons(np.ones((3, 9), bool))
    assert len(polygon) == 4


def test_an_empty_mask_has_no_polygon() -> None:
    assert find_polygons(np.zeros((3, 3), bool)) == []


@pytest.mark.parametrize("scale", [8])
def test_a_drawing_program_agrees(scale: int) -> None:
    """Pillow's polygon fill on a random blob, drawn eight times larger."""
    rng = np.random.default_rng(3)
    mask = rng.random((30, 30)) > 0.4
    image = Image.new("1", (30 * scale, 30 * scale))
    draw = ImageDraw.Draw(image)
    for polygon in find_polygons(mask):
        points = [((c + 0.5) * scale, (r + 0.5) * scale) for r, c in polygon.tolist()]
        draw.polygon(points, fill=1)
    centers = np.asarray(image)[scale // 2 :: scale, scale // 2 :: scale]
    np.testing.assert_array_equal(centers, mask)
