"""Implicit shapes."""

import numpy as np
import pytest

from engine.demo.canvas import Canvas
from engine.demo.shapes import capsule, ellipsoid, rounded_path, tube


def inside(canvas: Canvas, box: tuple[slice, ...], distance: np.ndarray) -> float:
    return float(np.count_nonzero(distance < 0) * canvas.voxel_mm**3)


def test_an_ellipsoid_has_its_volume(canvas: Canvas) -> None:
    volume = inside(canvas, *ellipsoid(canvas, (0, 0, 0), (20, 12, 8)))
    assert volume == pytest.approx(4 / 3 * np.pi * 20 * 12 * 8, rel=0.03)


def test_distances_to_an_ellipsoid_are_right_on_its_axes(canvas: Canvas) -> None:
    box, distance = ellipsoid(canvas, (0, 0, 0), (20, 12, 8))
    at = np.argwhere((canvas.z[box] == 0) & (canvas.y[box] == 0) & (canvas.x[box] == 10))[0]
    assert distance[tuple(at)] == pytest.approx(2.0, abs=0.3)


def test_a_capsule_has_its_volume(canvas: Canvas) -> None:
    ends = np.array([[-12.0, 0, 0], [12.0, 0, 0]])
    volume = inside(canvas, *capsule(canvas, ends, [6.0, 6.0]))
    assert volume == pytest.approx(np.pi * 36 * 24 + 4 / 3 * np.pi * 6**3, rel=0.03)


def test_a_tube_is_as_wide_as_asked_at_each_point(canvas: Canvas) -> None:
    points = np.array([[-20.0, 0, 0], [0, 0, 0], [20.0, 0, 0]])
    box, distance = tube(canvas, points, [3.0, 8.0, 3.0])
    z, y = canvas.z[box], canvas.y[box]
    width = [np.count_nonzero(distance[(z == at) & (y == 0)] < 0) for at in (-20, 0, 20)]
    assert width == pytest.approx([5, 15, 5], abs=1)


def test_a_rounded_path_goes_through_its_knots() -> None:
    knots = np.array([[0.0, 0, 0], [10, 5, 0], [20, -5, 3]])
    path = rounded_path(knots, steps=4)
    assert len(path) == 9
    assert path[::4] == pytest.approx(knots)
