"""Arrays move between orders of the same voxels, and never anywhere else."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.phantoms.report_patient import make_grid


def grid_like(orientation: str, mm: float = 8.0) -> object:
    from HepatoCastLib.grid import Grid

    grid = make_grid(orientation, mm)
    return Grid(shape=grid.shape, affine=grid.affine)


@pytest.mark.parametrize("flips", [(0,), (1,), (2,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_a_reordered_array_shows_the_same_patient(
    stand: SimpleNamespace, order: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    """Every voxel of the target holds what the source holds at that position."""
    from HepatoCastLib.grid import Grid, reorder

    source = grid_like("oblique", 31.0)
    array = np.arange(np.prod(source.shape)).reshape(source.shape)
    affine = np.eye(4)
    affine[:3, :3] = source.affine[:3, :3][:, order]
    shape = tuple(source.shape[axis] for axis in order)
    corner = np.zeros(3)
    for axis in flips:
        affine[:3, axis] *= -1
        corner[order[axis]] = shape[axis] - 1
    affine[:3, 3] = source.to_patient(corner)
    target = Grid(shape=shape, affine=affine)
    moved = reorder(array, source, target)
    for index in np.ndindex(*shape):
        there = np.rint(source.to_index(target.to_patient(np.array(index, float)))).astype(int)
        assert moved[index] == array[tuple(there)]


def test_another_grid_is_refused(stand: SimpleNamespace) -> None:
    from HepatoCastLib.errors import ExchangeError
    from HepatoCastLib.grid import Grid, reorder

    source = grid_like("axial")
    shifted = source.affine.copy()
    shifted[0, 3] += 0.5
    target = Grid(shape=source.shape, affine=shifted)
    with pytest.raises(ExchangeError, match=r"0\.50 mm apart"):
        reorder(np.zeros(source.shape), source, target)
