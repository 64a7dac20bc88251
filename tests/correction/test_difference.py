"""Dice of masks in boxes, against the whole arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.correction.difference import dice
from engine.correction.drawn import bounded


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.9))
def test_boxes_give_what_whole_arrays_give(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    first, second = random.random((2, 4, 5, 6)) < share
    first[0, 0, 0] = second[3, 4, 5] = True
    boxed = [bounded(mask) for mask in (first, second)]
    assert boxed[0] is not None
    assert boxed[1] is not None
    expected = 2 * (first & second).sum() / (first.sum() + second.sum())
    assert dice(boxed[0], boxed[1]) == pytest.approx(expected, abs=0)


def test_masks_apart_have_dice_zero() -> None:
    one = ((slice(0, 1), slice(0, 1), slice(0, 1)), np.ones((1, 1, 1), bool))
    two = ((slice(4, 5), slice(0, 1), slice(0, 1)), np.ones((1, 1, 1), bool))
    assert dice(one, two) == 0.0
