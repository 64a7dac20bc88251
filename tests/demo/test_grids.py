"""The grid asked for and the grid painted on."""

import numpy as np
import pytest

from engine.demo.grids import canvas_axis_mm, grid_axes_mm, phantom_geometry
from engine.demo.parameters import DEMO_PARAMETERS

GEOMETRY = phantom_geometry(DEMO_PARAMETERS, (9, 30, 20), (2.5, 1.0, 3.0))


def test_axes_give_the_voxel_centers() -> None:
    z, y, x = grid_axes_mm(GEOMETRY)
    corner = GEOMETRY.to_patient(np.array([3.0, 5.0, 7.0]))
    assert corner == pytest.approx([x[7], y[5], z[3]])


def test_the_grid_is_centered_on_the_patient() -> None:
    assert [axis.mean() for axis in grid_axes_mm(GEOMETRY)] == pytest.approx([-88.0, 6.0, 0.0])


@pytest.mark.parametrize(
    ("step_mm", "painted_mm"), [(0.5, 1.5), (0.75, 1.5), (1.25, 1.25), (2.0, 2.0), (5.0, 5 / 3)]
)
def test_the_canvas_has_a_step_anatomy_can_be_painted_at(step_mm: float, painted_mm: float) -> None:
    target = np.arange(40) * step_mm - 11
    canvas = canvas_axis_mm(target, step_mm)
    assert np.diff(canvas) == pytest.approx(painted_mm)
    assert canvas[0] < target[0]
    assert canvas[-1] > target[-1]


def test_merged_voxels_share_their_center() -> None:
    """A canvas voxel of 1.5 mm is exactly two voxels of 0.75 mm."""
    target = np.arange(40) * 0.75
    canvas = canvas_axis_mm(target, 0.75)
    assert canvas[2] == pytest.approx(target[:2].mean())
