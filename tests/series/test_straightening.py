"""Slices of a tilted gantry are shifted back in their own planes."""

import numpy as np

from engine.series.straightening import straighten


def _ramp(rows: int = 20, columns: int = 12) -> np.ndarray:
    r, c = np.indices((rows, columns))
    return (10 * r + 3 * c).astype(np.int16)


def test_whole_pixels_move_without_change() -> None:
    voxels = np.stack([_ramp(), _ramp()])
    straight, first = straighten(voxels, np.array([[0.0, 0.0], [4.0, -2.0]]))
    assert straight.shape == (2, 24, 14)
    assert first == (0, -2)
    np.testing.assert_array_equal(straight[0, :20, 2:], voxels[0])
    np.testing.assert_array_equal(straight[1, 4:, :12], voxels[1])
    assert (straight[1, :4] == -1024).all()


def test_a_fraction_of_a_pixel_is_interpolated() -> None:
    """A ramp that moves down by 0.3 rows reads 3 HU less everywhere inside."""
    voxels = np.stack([_ramp(), _ramp()])
    straight, _ = straighten(voxels, np.array([[0.0, 0.0], [0.3, 0.0]]))
    np.testing.assert_array_equal(straight[1, 1:20, :12], voxels[1][1:] - 3)


def test_a_straight_stack_is_returned_as_it_is() -> None:
    voxels = np.stack([_ramp(), _ramp()])
    straight, first = straighten(voxels, np.zeros((2, 2)))
    np.testing.assert_array_equal(straight, voxels)
    assert first == (0, 0)
