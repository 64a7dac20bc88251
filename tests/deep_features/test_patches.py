"""What an encoder sees."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.deep_features.patches import cut_patches
from engine.errors import RegionError
from engine.values.encoder import EncoderChannel
from tests.deep_features.conftest import grid_of, spec_of

SHAPE = (20, 30, 40)
GRID = grid_of(SHAPE, (1.0, 1.0, 1.0))


def scene() -> tuple[np.ndarray, np.ndarray]:
    voxels = np.random.default_rng(1).integers(0, 100, SHAPE).astype(np.int16)
    mask = np.zeros(SHAPE, bool)
    mask[8:12, 10:16, 20:28] = True
    return voxels, mask


def test_on_the_same_grid_the_patch_is_the_image() -> None:
    """Nothing is interpolated when spacing and positions agree."""
    voxels, mask = scene()
    patches = cut_patches(voxels, mask, GRID, spec_of(Path("x"), 3))
    assert patches.images.shape == (1, 1, 16, 16, 16)
    found = patches.images[0, 0][patches.share[0] == 1]
    assert np.allclose(found, voxels[mask] / 100, atol=1e-5)
    assert patches.share.sum() == pytest.approx(mask.sum())


def test_a_flat_encoder_gets_every_slice_of_the_region() -> None:
    voxels, mask = scene()
    patches = cut_patches(voxels, mask, GRID, spec_of(Path("x"), 2, patch=(1, 16, 16)))
    assert patches.images.shape == (4, 1, 16, 16)
    assert patches.share.sum() == pytest.approx(mask.sum())


def test_each_channel_has_its_window_and_normalization() -> None:
    voxels, mask = scene()
    channels = (
        EncoderChannel(low_hu=0, high_hu=100),
        EncoderChannel(low_hu=50, high_hu=60, mean=0.5, deviation=0.25),
    )
    spec = spec_of(Path("x"), 3, channels=channels)
    first, second = cut_patches(voxels, mask, GRID, spec).images[0]
    again = (np.clip(first * 100, 50, 60) - 50) / 10
    assert np.allclose(second, (again - 0.5) / 0.25, atol=1e-3)


def test_storage_order_does_not_matter() -> None:
    """Reversed slices are the same patient."""
    voxels, mask = scene()
    there = cut_patches(voxels, mask, GRID, spec_of(Path("x"), 3))
    x, y, z = GRID.to_patient(np.array([SHAPE[0] - 1.0, 0.0, 0.0])).tolist()
    reversed_grid = replace(GRID, origin_mm=(x, y, z), slice_direction=(0.0, 0.0, -1.0))
    back = cut_patches(voxels[::-1], mask[::-1], reversed_grid, spec_of(Path("x"), 3))
    assert np.allclose(there.images, back.images, atol=1e-6)


def test_at_the_edge_of_the_image_the_patch_is_filled_from_below() -> None:
    """A lesion in the first corner."""
    voxels, _ = scene()
    mask = np.zeros(SHAPE, bool)
    mask[:4, :4, :4] = True
    patches = cut_patches(voxels, mask, GRID, spec_of(Path("x"), 3))
    assert patches.share.sum() == pytest.approx(64)
    assert patches.images[0, 0, 0, 0, 0] == 0


def test_what_cannot_be_seen_is_an_error() -> None:
    """Empty, larger than the patch, not finite."""
    voxels, mask = scene()
    spec = spec_of(Path("x"), 3, patch=(16, 4, 16))
    with pytest.raises(RegionError, match="large"):
        cut_patches(voxels, mask, GRID, spec)
    with pytest.raises(RegionError, match="empty"):
        cut_patches(voxels, np.zeros(SHAPE, bool), GRID, spec)
    broken = voxels.astype(np.float64)
    broken[9, 12, 22] = np.nan
    with pytest.raises(RegionError, match="finite"):
        cut_patches(broken, mask, GRID, spec_of(Path("x"), 3))
