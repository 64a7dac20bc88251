"""The self-check passes a right analysis and fails a wrong one."""

import dataclasses

import numpy as np
import pytest

from engine.demo.anatomy import Phantom
from engine.demo.self_check import SelfCheck, check_analysis, dice
from engine.demo.truth import Truth, truth_of
from engine.errors import InvalidGeometryError
from engine.values.geometry import VolumeGeometry


@pytest.fixture(scope="module")
def truth(phantom: Phantom) -> Truth:
    return truth_of(phantom, "1.2.3")


def check(truth: Truth, lesions: np.ndarray, liver: np.ndarray | None = None) -> SelfCheck:
    return check_analysis(truth, truth.liver if liver is None else liver, lesions, truth.geometry)


def without(truth: Truth, number: int) -> np.ndarray:
    return np.where(truth.lesion_labels == number, 0, truth.lesion_labels).astype(np.uint8)


def false_lesions(truth: Truth, count: int) -> np.ndarray:
    """The true lesions and ``count`` small ones elsewhere in the liver."""
    labels = truth.lesion_labels.copy()
    free = np.argwhere(truth.liver & (labels == 0))
    for index, place in enumerate(free[:: len(free) // (count + 1)][:count]):
        labels[tuple(place)] = 50 + index
    return labels


def test_the_truth_itself_passes(truth: Truth) -> None:
    result = check(truth, truth.lesion_labels)
    assert result.passed
    assert result.liver_dice == 1.0
    assert [lesion.dice for lesion in result.lesions] == [1.0] * len(truth.lesions)


def test_numbers_of_the_analysis_may_differ_from_the_truths(truth: Truth) -> None:
    renumbered = np.array([0, 9, 3, 7, 5], np.uint8)[truth.lesion_labels]
    assert [lesion.found_as for lesion in check(truth, renumbered).lesions] == [9, 3, 7, 5]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_missed_lesion_of_15_mm_fails_and_is_named(truth: Truth, number: int) -> None:
    result = check(truth, without(truth, number))
    assert not result.passed
    assert f"lesion {number} of" in result.failures[0]
    assert "MISSED" in result.table()


def test_a_missed_small_lesion_is_forgiven_and_shown(truth: Truth) -> None:
    small = tuple(dataclasses.replace(item, diameter_mm=14.9) for item in truth.lesions)
    result = check(dataclasses.replace(truth, lesions=small), without(truth, 4))
    assert result.passed
    assert "missed (below 15 mm)" in result.table()


@pytest.mark.parametrize(("count", "passes"), [(0, True), (1, True), (2, False)])
def test_one_false_lesion_is_allowed(truth: Truth, count: int, passes: bool) -> None:
    result = check(truth, false_lesions(truth, count))
    assert len(result.false_lesions) == count
    assert result.passed is passes


def test_a_piece_of_a_found_lesion_is_a_fragment_and_not_false(truth: Truth) -> None:
    labels = truth.lesion_labels.copy()
    labels[tuple(np.argwhere(labels == 1)[0])] = 40
    result = check(truth, labels)
    assert (result.fragments, result.false_lesions) == ((40,), ())


def test_a_lesion_that_swallows_the_liver_finds_nothing(truth: Truth) -> None:
    result = check(truth, truth.liver.astype(np.uint8))
    assert all(lesion.found_as is None for lesion in result.lesions)
    assert result.false_lesions == (1,)
    assert not result.passed


def test_half_a_liver_fails(truth: Truth) -> None:
    half = truth.liver.copy()
    half[: int(np.median(np.nonzero(half)[0]))] = False
    result = check(truth, truth.lesion_labels, half)
    assert not result.passed
    assert "liver Dice" in result.failures[0]


def test_an_empty_analysis_fails(truth: Truth) -> None:
    result = check(truth, np.zeros_like(truth.lesion_labels), np.zeros_like(truth.liver))
    assert result.liver_dice == 0
    assert not result.passed


def reversed_stack(geometry: VolumeGeometry) -> VolumeGeometry:
    """The same voxels, counted from the head."""
    top = geometry.to_patient(np.array([geometry.shape[0] - 1.0, 0, 0]))
    return dataclasses.replace(
        geometry, origin_mm=tuple(map(float, top)), slice_direction=(0.0, 0.0, -1.0)
    )


def test_an_analysis_in_another_slice_order_is_compared_in_patient_space(truth: Truth) -> None:
    result = check_analysis(
        truth, truth.liver[::-1], truth.lesion_labels[::-1], reversed_stack(truth.geometry)
    )
    assert result.liver_dice == 1.0
    assert all(lesion.dice == 1.0 for lesion in result.lesions)


def test_a_mask_that_is_upside_down_fails(truth: Truth) -> None:
    assert not check(truth, truth.lesion_labels[::-1], truth.liver[::-1]).passed


def test_another_frame_of_reference_is_refused(truth: Truth) -> None:
    here = dataclasses.replace(truth.geometry, frame_of_reference_uid="1.2")
    there = dataclasses.replace(truth.geometry, frame_of_reference_uid="1.3")
    with pytest.raises(InvalidGeometryError, match="another frame of reference"):
        check_analysis(
            dataclasses.replace(truth, geometry=here), truth.liver, truth.lesion_labels, there
        )


def test_masks_off_the_grid_are_refused(truth: Truth) -> None:
    with pytest.raises(InvalidGeometryError, match="on grid"):
        check_analysis(truth, truth.liver[1:], truth.lesion_labels, truth.geometry)


def test_the_table_ends_with_the_verdict(truth: Truth) -> None:
    assert check(truth, truth.lesion_labels).table().endswith("Self-check PASSED")
    assert "FAILED: " in check(truth, without(truth, 1)).table().splitlines()[-1]


def test_dice_of_half_overlapping_masks() -> None:
    first, second = np.array([1, 1, 0], bool), np.array([0, 1, 1], bool)
    assert dice(first, second) == 0.5
    assert dice(~first & first, ~second & second) == 0.0
