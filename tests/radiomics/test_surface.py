"""Mesh and hull measures against bodies whose measures are known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.radiomics.surface import measure_surface
from engine.radiomics.surface_table import triangle_table


def test_one_voxel_is_an_octahedron() -> None:
    """Vertices half a voxel from the center."""
    measures = measure_surface(np.pad(np.ones((1, 1, 1), bool), 1), (2.0, 2.0, 2.0))
    assert measures.volume_mm3 == pytest.approx(4 / 3)
    assert measures.area_mm2 == pytest.approx(4 * math.sqrt(3))
    assert measures.hull_volume_mm3 == pytest.approx(4 / 3)
    assert measures.hull_area_mm2 == pytest.approx(4 * math.sqrt(3))
    assert measures.diameter_mm == pytest.approx(2)


def test_a_ball_approaches_its_volume_and_diameter() -> None:
    """Radius 20 mm on an anisotropic grid."""
    z, y, x = np.ogrid[-12:13, -22:23, -22:23]
    ball = (2.0 * z) ** 2 + y**2 + x**2 <= 20**2
    measures = measure_surface(np.pad(ball, 1), (2.0, 1.0, 1.0))
    assert measures.volume_mm3 == pytest.approx(4 / 3 * math.pi * 20**3, rel=0.01)
    assert measures.diameter_mm == pytest.approx(40 + 2)  # half a voxel of 2 mm at both poles
    assert measures.hull_volume_mm3 >= measures.volume_mm3


def test_a_bar_has_its_hull_and_length() -> None:
    """Degenerate centers (one line) still have a hull."""
    measures = measure_surface(np.pad(np.ones((1, 1, 9), bool), 1), (1.0, 1.0, 1.0))
    assert measures.diameter_mm == pytest.approx(9)
    assert measures.hull_volume_mm3 == pytest.approx(measures.volume_mm3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**27 - 1))
def test_the_mesh_is_closed_for_any_mask(bits: int) -> None:
    """A closed mesh has the same volume wherever it lies, and the complement the same area."""
    mask = np.array([bits >> k & 1 for k in range(27)], bool).reshape(3, 3, 3)
    mask[1, 1, 1] = True
    near = measure_surface(np.pad(mask, 1), (1.0, 1.5, 2.0))
    far = measure_surface(np.pad(mask, ((5, 1), (3, 2), (7, 4))), (1.0, 1.5, 2.0))
    assert far.volume_mm3 == pytest.approx(near.volume_mm3, abs=1e-9)
    assert far.area_mm2 == pytest.approx(near.area_mm2)
    assert 0 < near.volume_mm3 <= near.hull_volume_mm3 + 1e-9


def test_every_configuration_has_its_triangles() -> None:
    """All but the empty and the full cell are on the surface."""
    triangles, owners = triangle_table()
    assert triangles.shape[1:] == (3, 3)
    assert set(owners.tolist()) == set(range(1, 255))
