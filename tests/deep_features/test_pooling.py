"""Feature maps to numbers."""

import numpy as np
import pytest

from engine.deep_features.pooling import Pooling, pool
from engine.errors import RegionError


def test_a_coarse_map_is_weighted_by_the_share_of_the_region() -> None:
    """A 4 × 4 patch, a 2 × 2 map: the region fills one cell and a quarter of another."""
    share = np.zeros((1, 4, 4), np.float32)
    share[0, :2, :2] = 1
    share[0, 0, 2] = 1
    maps = np.array([[[[10.0, 20.0], [30.0, 40.0]]]], np.float32)
    mean, most, whole = pool(maps, share)[:, 0]
    assert mean == pytest.approx((10 * 1 + 20 * 0.25) / 1.25)
    assert most == 20
    assert whole == 25


def test_sizes_that_do_not_divide_share_their_cells() -> None:
    """Three voxels into two cells: the middle one counts half for each."""
    share = np.array([[[0.0, 1.0, 0.0]]], np.float32)
    maps = np.array([[[[2.0, 4.0]]]], np.float32)
    assert pool(maps, share)[0, 0] == pytest.approx(3)


def test_vectors_count_with_the_region_in_their_slice() -> None:
    """A network that pools itself gives one vector per slice."""
    share = np.zeros((2, 2, 2), np.float32)
    share[0] = 1
    share[1, 0, 0] = 1
    vectors = np.array([[1.0], [6.0]], np.float32)
    assert pool(vectors, share)[:, 0].tolist() == pytest.approx([2.0, 6.0, 3.5])
    assert len(Pooling) == 3


def test_a_region_outside_the_patch_is_an_error() -> None:
    with pytest.raises(RegionError, match="nothing"):
        pool(np.ones((1, 1, 2, 2), np.float32), np.zeros((1, 4, 4), np.float32))
