"""Pooled features on disk."""

import os
from pathlib import Path

import numpy as np

from engine.deep_features.cache import FeatureCache, content_key
from engine.deep_features.patches import Patches
from tests.deep_features.conftest import spec_of

VALUES = np.arange(6, dtype=np.float64).reshape(3, 2)


def patches(value: float = 0.0) -> Patches:
    image = np.full((1, 1, 4, 4), value, np.float32)
    return Patches(images=image, share=np.ones((1, 4, 4), np.float32))


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    cache = FeatureCache(folder=tmp_path / "cache")
    assert cache.get("a") is None
    cache.put("a", VALUES)
    found = cache.get("a")
    assert found is not None
    assert np.array_equal(found, VALUES)


def test_the_key_changes_with_image_region_package_and_provider() -> None:
    spec = spec_of(Path("x"), 2)
    one = patches()
    other_region = Patches(images=one.images, share=one.share * 0.5)
    keys = {
        content_key(one, spec, "CPU"),
        content_key(patches(1.0), spec, "CPU"),
        content_key(other_region, spec, "CPU"),
        content_key(one, spec_of(Path("x"), 2, package_sha256="1" * 64), "CPU"),
        content_key(one, spec_of(Path("x"), 2, layer="features"), "CPU"),
        content_key(one, spec, "CUDA"),
    }
    assert len(keys) == 6
    assert content_key(patches(), spec_of(Path("y"), 2), "CPU") in keys


def test_the_folder_stays_bounded_and_the_oldest_goes(tmp_path: Path) -> None:
    size = 128 + VALUES.nbytes
    cache = FeatureCache(folder=tmp_path, maximum_bytes=2 * size)
    for age, name in enumerate(("a", "b")):
        cache.put(name, VALUES)
        os.utime(tmp_path / f"{name}.npy", (1000 + age, 1000 + age))
    cache.put("c", VALUES)
    assert cache.get("a") is None
    assert cache.get("b") is not None
    assert cache.get("c") is not None


def test_a_damaged_file_and_a_folder_that_cannot_be_made_cost_time_only(tmp_path: Path) -> None:
    cache = FeatureCache(folder=tmp_path)
    (tmp_path / "a.npy").write_bytes(b"no array")
    assert cache.get("a") is None
    blocked = FeatureCache(folder=tmp_path / "a.npy" / "cache")
    blocked.put("b", VALUES)
    assert blocked.get("b") is None
