"""Windows cover a volume, weigh by their center, and skip the air."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.segmentation import sliding_window
from engine.segmentation.sliding_window import (
    gaussian_weight,
    predict_logits,
    window_places,
    window_shape,
)
from tests.phantoms.packages import threshold_spec


class Recorder:
    """A network whose logits are (0, input); remembers the windows it was given."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give (0, input)."""
        self.shapes.append(array.shape)
        return np.concatenate([np.zeros_like(array), array], axis=1)


def predict(network: Recorder, image: NDArray[np.float32], **changes: object) -> NDArray:
    spec = threshold_spec("segmenter", **{"patch": (8, 8, 8), **changes})
    return predict_logits(network, image, spec, floor=-1.0, progress=lambda _fraction: None)


@given(
    size=st.integers(1, 80),
    patch=st.integers(1, 6).map(lambda n: 4 * n),
    overlap=st.floats(0, 0.9),
)
def test_windows_cover_every_voxel_with_at_least_the_overlap(
    size: int, patch: int, overlap: float
) -> None:
    length = max(size, patch)
    starts = [place[0].start for place in window_places((length, 1, 1), (patch, 1, 1), overlap)]
    assert starts[0] == 0
    assert starts[-1] + patch == length
    assert all(b - a <= patch * (1 - overlap) + 1 for a, b in pairwise(starts))


def test_overlapping_windows_of_a_pointwise_network_change_nothing() -> None:
    image = np.random.default_rng(2).normal(size=(13, 18, 21)).astype(np.float32)
    logits = predict(Recorder(), image)
    np.testing.assert_allclose(logits[1], image, atol=1e-5)


def test_a_volume_smaller_than_the_patch_gets_a_smaller_window() -> None:
    network = Recorder()
    logits = predict(network, np.ones((3, 6, 30), np.float32))
    assert set(network.shapes) == {(1, 1, 4, 8, 8)}
    assert logits.shape == (2, 3, 6, 30)
    spec = threshold_spec("segmenter", patch=(64, 96, 96), divisor=(8, 8, 8))
    assert window_shape((20, 96, 200), spec) == (24, 96, 96)


def test_windows_of_air_are_not_run_and_stay_undecided() -> None:
    image = np.full((8, 8, 64), -1.0, np.float32)
    image[..., :8] = 0.5
    network = Recorder()
    logits = predict(network, image, overlap=0.0)
    assert len(network.shapes) == 1
    assert np.isnan(logits[:, :, :, 8:]).all()
    assert np.isfinite(logits[:, :, :, :8]).all()


def test_the_center_of_a_window_outweighs_its_edge() -> None:
    weight = gaussian_weight((8, 16, 16))
    assert weight[4, 8, 8] == pytest.approx(1.0)
    assert weight[0, 0, 0] == pytest.approx(1e-3)
    np.testing.assert_allclose(weight, weight[::-1, ::-1, ::-1])


class FirstVoxel:
    """A network that marks where the first voxel of each axis of its window is."""

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give (0, 1 in the first slice)."""
        marked = np.zeros_like(array)
        marked[:, :, 0] = 1.0
        return np.concatenate([np.zeros_like(array), marked], axis=1)


def test_mirroring_averages_over_both_directions() -> None:
    spec = threshold_spec("segmenter", patch=(8, 8, 8), mirror_axes=(0,))
    image = np.ones((8, 8, 8), np.float32)
    logits = predict_logits(FirstVoxel(), image, spec, floor=-1.0, progress=lambda _fraction: None)
    np.testing.assert_allclose(logits[1][[0, 3, 7]].mean(axis=(1, 2)), [0.5, 0.0, 0.5])


def test_large_sums_are_kept_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(3).normal(size=(16, 16, 16)).astype(np.float32)
    full = predict(Recorder(), image)
    monkeypatch.setattr(sliding_window, "HALF_PRECISION_ABOVE_BYTES", 1024)
    half = predict(Recorder(), image)
    assert (full.dtype, half.dtype) == (np.float32, np.float16)
    np.testing.assert_allclose(half.astype(np.float32), full, atol=2e-2)


def test_progress_ends_at_one() -> None:
    seen: list[float] = []
    spec = threshold_spec("segmenter", patch=(8, 8, 8))
    predict_logits(
        Recorder(), np.ones((8, 8, 20), np.float32), spec, floor=-1.0, progress=seen.append
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
