"""Masks are cleaned by what is known of livers and lesions."""

import numpy as np
import pytest

from engine.segmentation.postprocessing import (
    compose_labels,
    drop_small_lesions,
    fill_holes,
    largest_component,
)


def test_only_the_largest_component_stays() -> None:
    mask = np.zeros((10, 10, 10), bool)
    mask[1:4, 1:4, 1:4] = True
    mask[6:9, 6:9, 5:9] = True
    kept = largest_component(mask)
    assert kept.sum() == 36
    assert kept[6, 6, 5]


def test_components_that_touch_at_an_edge_part() -> None:
    mask = np.zeros((4, 6, 6), bool)
    mask[:, :3, :3] = True
    mask[:2, 3:, 3:] = True
    assert largest_component(mask).sum() == 36


def test_enclosed_background_is_filled_and_open_background_is_not() -> None:
    mask = np.zeros((9, 9, 9), bool)
    mask[1:8, 1:8, 1:8] = True
    mask[4, 4, 4] = False
    mask[1:3, 2, 2] = False
    filled = fill_holes(mask)
    assert filled[4, 4, 4]
    assert not filled[1, 2, 2]
    assert not filled[2, 2, 2]


def test_a_hole_in_one_slice_that_leaves_through_the_next_stays_open() -> None:
    mask = np.zeros((5, 7, 7), bool)
    mask[1:4, 1:6, 1:6] = True
    mask[3, 3, 3] = mask[2, 3, 3] = False
    assert np.array_equal(fill_holes(mask), mask)


@pytest.mark.parametrize(("minimum_ml", "voxels"), [(0.008, 8), (0.0081, 0), (0.0, 8)])
def test_a_lesion_of_exactly_the_minimum_stays(minimum_ml: float, voxels: int) -> None:
    tumor = np.zeros((6, 6, 6), bool)
    tumor[2:4, 2:4, 2:4] = True
    kept = drop_small_lesions(tumor, voxel_ml=0.001, minimum_ml=minimum_ml)
    assert kept.sum() == voxels


def test_lesion_voxels_that_touch_at_a_corner_are_one_lesion() -> None:
    tumor = np.zeros((4, 4, 4), bool)
    tumor[1, 1, 1] = tumor[2, 2, 2] = True
    assert drop_small_lesions(tumor, voxel_ml=0.001, minimum_ml=0.002).sum() == 2


def test_tumor_outside_the_organ_is_dropped() -> None:
    organ = np.array([[[True, True, False, False]]])
    tumor = np.array([[[False, True, True, False]]])
    assert compose_labels(organ, tumor).ravel().tolist() == [1, 2, 0, 0]


def test_nothing_stays_nothing() -> None:
    nothing = np.zeros((3, 3, 3), bool)
    assert not largest_component(nothing).any()
    assert not fill_holes(nothing).any()
    assert not drop_small_lesions(nothing, voxel_ml=1.0, minimum_ml=0.1).any()
