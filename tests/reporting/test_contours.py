"""Outlines enclose exactly the mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from engine.reporting.contours import find_outlines


def area(points: np.ndarray) -> float:
    row, column = points[:, 0], points[:, 1]
    return abs(float(row @ np.roll(column, 1) - column @ np.roll(row, 1))) / 2


def test_one_pixel_is_a_diamond_around_its_center() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    (outline,) = find_outlines(mask)
    assert {tuple(p) for p in outline} == {(0.5, 2), (1.5, 2), (1, 1.5), (1, 2.5)}


def test_a_rectangle_at_the_border_is_closed() -> None:
    (outline,) = find_outlines(np.ones((4, 6), bool))
    assert area(outline) == pytest.approx(4 * 6 - 4 * 0.125)


def test_a_ring_has_an_outer_outline_and_a_hole() -> None:
    mask = np.ones((9, 9), bool)
    mask[3:6, 3:6] = False
    outer, hole = find_outlines(mask)
    assert area(outer) > area(hole) > 8


def test_diagonal_neighbors_are_two_outlines() -> None:
    assert len(find_outlines(np.eye(2, dtype=bool))) == 2


def test_an_empty_mask_has_none() -> None:
    assert find_outlines(np.zeros((5, 5), bool)) == []


@settings(max_examples=60, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_filling_the_outlines_gives_the_mask_back(mask: np.ndarray) -> None:
    """Even-odd filling at pixel centers, drawn eight times enlarged by Pillow."""
    filled = np.zeros(mask.shape, bool)
    for outline in find_outlines(mask):
        canvas = Image.new("1", (mask.shape[1] * 8, mask.shape[0] * 8))
        corners = [(c * 8 + 4, r * 8 + 4) for r, c in outline]
        ImageDraw.Draw(canvas).polygon(corners, fill=1)
        filled ^= np.asarray(canvas)[4::8, 4::8]
    np.testing.assert_array_equal(filled, mask)
