"""Painting with partial volume."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.demo.canvas import (
    Canvas,
    fine_texture,
    smooth_field,
    smooth_maximum,
    smooth_minimum,
)

AXES = tuple(np.arange(0.0, 90.0, 1.5) for _ in range(3))


def test_a_painted_sphere_has_the_volume_of_a_sphere(canvas: Canvas) -> None:
    distance = np.sqrt(canvas.z**2 + canvas.y**2 + canvas.x**2) - np.float32(12.3)
    canvas.paint(canvas.everywhere, distance, 7)
    volume = canvas.weight[canvas.primary == 7].sum() / 255
    assert volume == pytest.approx(4 / 3 * np.pi * 12.3**3, rel=0.01)


def test_a_surface_voxel_remembers_what_lies_below(canvas: Canvas) -> None:
    canvas.paint(canvas.everywhere, canvas.x - 100, 3)
    canvas.paint(canvas.everywhere, canvas.x - np.float32(0.2), 9)
    half = (0, 0, 30)
    assert (canvas.primary[half], canvas.secondary[half]) == (9, 3)
    assert 0.5 < canvas.weight[half] / 255 < 0.9


def test_the_dominant_material_is_the_larger_share(canvas: Canvas) -> None:
    canvas.paint(canvas.everywhere, canvas.x + np.float32(0.3), 9)
    assert canvas.dominant(canvas.everywhere)[0, 0, 29:32].tolist() == [9, 0, 0]


def test_a_box_holds_every_voxel_between_two_points(canvas: Canvas) -> None:
    box = canvas.box((-5, -5, -5), (5, 5, 5))
    assert canvas.x[box].min() == -5
    assert canvas.x[box].max() == 5


@given(a=st.floats(-50, 50), b=st.floats(-50, 50), blend=st.floats(0.5, 20))
def test_blending_never_cuts_deeper_than_a_quarter_of_its_width(
    a: float, b: float, blend: float
) -> None:
    first, second = np.array([a], np.float32), np.array([b], np.float32)
    above = smooth_maximum(first, second, blend)[0] - max(first[0], second[0])
    below = min(first[0], second[0]) - smooth_minimum(first, second, blend)[0]
    assert -1e-3 <= above <= blend / 4 + 1e-3
    assert above == pytest.approx(below, abs=1e-3)


def test_a_smooth_field_has_unit_deviation_and_its_wavelength() -> None:
    field = smooth_field(np.random.default_rng(1), AXES, 9.0)
    assert field.std() == pytest.approx(1.0, abs=0.15)
    assert np.corrcoef(field[:, :, :-2].ravel(), field[:, :, 2:].ravel())[0, 1] > 0.8
    assert abs(np.corrcoef(field[:, :, :-20].ravel(), field[:, :, 20:].ravel())[0, 1]) < 0.2


def test_the_fine_texture_has_unit_deviation_and_no_seam() -> None:
    texture = fine_texture(np.random.default_rng(1), (130, 20, 20), 1.5)
    assert texture.std() == pytest.approx(1.0, abs=0.1)
    assert np.array_equal(texture[:64], texture[64:128])
    assert np.abs(np.diff(texture, axis=0))[63].mean() < 2 * np.abs(np.diff(texture, axis=0)).mean()
