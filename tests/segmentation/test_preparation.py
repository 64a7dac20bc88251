"""Networks see clipped, resampled, scaled intensities."""

import numpy as np
import pytest

from engine.segmentation.preparation import floor_value, prepare
from tests.phantoms.boxes import standard_geometry
from tests.phantoms.packages import threshold_spec

SPEC = threshold_spec("segmenter", window_hu=(-160.0, 240.0), mean_hu=40.0, scale_hu=100.0)


def test_at_the_networks_own_spacing_voxels_are_only_clipped_and_scaled() -> None:
    voxels = np.array([-1000, -160, 40, 240, 3000], np.int16).reshape(1, 1, 5)
    image, grid = prepare(voxels, standard_geometry((1, 1, 5), (2.0, 1.5, 1.5)), SPEC)
    np.testing.assert_allclose(image.ravel(), [-2, -2, 0, 2, 2], atol=1e-6)
    assert grid.spacing.as_tuple() == (2.0, 1.5, 1.5)
    assert image.dtype == np.float32


def test_the_floor_is_what_air_becomes() -> None:
    voxels = np.full((4, 4, 4), -1000, np.int16)
    image, _ = prepare(voxels, standard_geometry((4, 4, 4), (1.0, 1.0, 1.0)), SPEC)
    assert set(image.ravel()) == {floor_value(SPEC)}


def test_clipping_comes_before_smoothing() -> None:
    """A metal clip of 3000 HU among tissue counts as the window's upper end, no more."""
    voxels = np.full((1, 1, 64), 0, np.int16)
    voxels[..., 32] = 3000
    image, _ = prepare(voxels, standard_geometry((1, 1, 64), (2.0, 1.5, 0.5)), SPEC)
    hu = image * 100.0 + 40.0
    assert hu.max() < 240 * 0.5
    assert hu.sum() * 1.5 == pytest.approx(240 * 0.5, rel=0.1)
