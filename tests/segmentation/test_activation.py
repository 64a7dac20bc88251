"""Logits become the probabilities of organ and tumor."""

import numpy as np

from engine.segmentation.activation import ORGAN, TUMOR, probabilities
from tests.phantoms.packages import threshold_spec


def logits(*values: float) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 1, 1, 1)


def test_softmax_adds_liver_and_tumor_to_the_organ() -> None:
    spec = threshold_spec("segmenter", channels=(0, 1, 2))
    result = probabilities(logits(0.0, np.log(2.0), np.log(3.0)), spec)
    np.testing.assert_allclose(result[[ORGAN, TUMOR], 0, 0, 0], [5 / 6, 3 / 6], rtol=1e-6)


def test_channels_may_come_in_any_order_and_background_more_than_once() -> None:
    spec = threshold_spec("segmenter", channels=(2, 0, 1, 0))
    result = probabilities(logits(0.0, 0.0, 0.0, 0.0), spec)
    np.testing.assert_allclose(result[[ORGAN, TUMOR], 0, 0, 0], [0.5, 0.25], rtol=1e-6)


def test_sigmoid_channels_are_regions_of_their_own() -> None:
    spec = threshold_spec("segmenter", channels=(1, 2), activation="sigmoid")
    result = probabilities(logits(np.log(3.0), np.log(4.0)), spec)
    np.testing.assert_allclose(result[[ORGAN, TUMOR], 0, 0, 0], [0.8, 0.8], rtol=1e-6)


def test_a_package_without_tumor_channel_sees_no_tumor() -> None:
    result = probabilities(logits(0.0, 5.0), threshold_spec("segmenter", channels=(0, 1)))
    assert result[TUMOR].max() == 0.0


def test_what_no_window_saw_is_background() -> None:
    spec = threshold_spec("segmenter", channels=(0, 1))
    assert probabilities(logits(np.nan, np.nan), spec).max() == 0.0


def test_large_logits_do_not_overflow() -> None:
    spec = threshold_spec("segmenter", channels=(0, 1, 2))
    assert np.isfinite(probabilities(logits(-1e4, 1e4, 0.0), spec)).all()
