"""Masks lie on the reference grid, in whatever axis order, or are refused with the place."""

from itertools import permutations, product

import numpy as np
import pytest

from engine.correction.lattice import place
from engine.errors import CorrectionError
from tests.phantoms.report_patient import make_grid

GRID = make_grid("oblique", 31.0)


def stored(order: tuple[int, ...], flips: tuple[bool, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Voxel numbers of the grid as a program with another axis order stores them."""
    numbers = np.arange(np.prod(GRID.shape)).reshape(GRID.shape)
    array = numbers.transpose(order)[tuple(slice(None, None, -1 if f else 1) for f in flips)]
    affine = np.eye(4)
    corner = np.zeros(3)
    for axis, (source, flip) in enumerate(zip(order, flips, strict=True)):
        affine[:3, axis] = GRID.affine[:3, source] * (-1 if flip else 1)
        corner[source] = GRID.shape[source] - 1 if flip else 0
    affine[:3, 3] = GRID.to_patient(corner)
    return array, affine


@pytest.mark.parametrize("flips", list(product((False, True), repeat=3)))
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_every_axis_order_comes_back_voxel_for_voxel(
    order: tuple[int, ...], flips: tuple[bool, ...]
) -> None:
    array, affine = stored(order, flips)
    placement = place(array.shape, affine, GRID, "The mask")
    numbers = np.arange(np.prod(GRID.shape)).reshape(GRID.shape)
    assert placement.box == tuple(slice(0, n) for n in GRID.shape)
    assert np.array_equal(placement.turn(array), numbers)


def test_a_cropped_mask_lies_in_its_box() -> None:
    affine = GRID.affine.copy()
    affine[:3, 3] = GRID.to_patient(np.array([1.0, 2.0, 3.0]))
    placement = place((2, 3, 4), affine, GRID, "The mask")
    assert placement.box == (slice(1, 3), slice(2, 5), slice(3, 7))


@pytest.mark.parametrize(
    ("shift", "what"),
    [
        ((0.3, 0, 0), "The mask lies off the reference series: its voxel [0, 0, 0]"),
        ((0, 0, 0.4), "is 12.400 mm from the nearest voxel"),
        ((-2, 0, 0), "covers slices -2 to"),
        ((0, 0, 1), "has columns 0 to"),
    ],
)
def test_a_shifted_mask_is_refused_with_the_place(
    shift: tuple[float, float, float], what: str
) -> None:
    affine = GRID.affine.copy()
    affine[:3, 3] = GRID.to_patient(np.array(shift))
    with pytest.raises(CorrectionError) as refused:
        place(GRID.shape, affine, GRID, "The mask")
    assert what in str(refused.value)


def test_another_voxel_size_is_refused_with_both_sizes() -> None:
    affine = GRID.affine.copy()
    affine[:3, 2] *= 2
    with pytest.raises(CorrectionError, match=r"62.0.* mm, of the reference \[3.0, 31.0, 31.0\]"):
        place(GRID.shape, affine, GRID, "The mask")


def test_a_slowly_drifting_spacing_is_refused_at_the_far_corner() -> None:
    affine = GRID.affine.copy()
    affine[:3, 0] *= 1.01
    with pytest.raises(CorrectionError, match=rf"its voxel \[{GRID.shape[0] - 1}, 0, 0\]"):
        place(GRID.shape, affine, GRID, "The mask")
