"""The grid is right from birth, and index and patient space agree."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidGeometryError
from engine.values.geometry import VolumeGeometry, VoxelSpacing


def grid(angle_degrees: float = 0.0, shape: tuple[int, int, int] = (5, 7, 9)) -> VolumeGeometry:
    """An axial grid turned about the patient's left-right axis."""
    c, s = math.cos(math.radians(angle_degrees)), math.sin(math.radians(angle_degrees))
    return VolumeGeometry(
        shape=shape,
        spacing=VoxelSpacing(slice_mm=3.0, row_mm=0.8, column_mm=0.7),
        origin_mm=(-10.0, 20.0, 30.0),
        slice_direction=(0.0, -s, c),
        row_direction=(0.0, c, s),
        column_direction=(1.0, 0.0, 0.0),
    )


@pytest.mark.parametrize("mm", [0.0, -1.0, math.nan, math.inf])
def test_spacing_is_above_zero_and_finite(mm: float) -> None:
    with pytest.raises(InvalidGeometryError):
        VoxelSpacing(slice_mm=1.0, row_mm=mm, column_mm=1.0)


def test_a_voxel_holds_its_milliliters() -> None:
    assert VoxelSpacing(slice_mm=5, row_mm=0.5, column_mm=2).voxel_ml == pytest.approx(0.005)


def test_the_first_voxel_lies_at_the_origin() -> None:
    assert grid(12).to_patient(np.zeros(3)).tolist() == [-10.0, 20.0, 30.0]


def test_one_slice_further_is_one_spacing_along_the_normal() -> None:
    step = grid().to_patient(np.array([1.0, 0, 0])) - grid().to_patient(np.zeros(3))
    assert step.tolist() == [0.0, 0.0, 3.0]


@given(
    st.floats(-40, 40),
    st.tuples(st.floats(-5, 9), st.floats(-5, 9), st.floats(-5, 9)),
)
def test_index_and_patient_space_are_inverse(
    angle: float, index: tuple[float, float, float]
) -> None:
    geometry = grid(angle)
    there_and_back = geometry.to_index(geometry.to_patient(np.array(index)))
    assert there_and_back == pytest.approx(index, abs=1e-6)


def test_the_affine_says_the_same_as_to_patient() -> None:
    geometry, index = grid(17), np.array([2.0, 3.0, 4.0])
    assert (geometry.affine @ [*index, 1])[:3] == pytest.approx(geometry.to_patient(index))


def test_skewed_directions_are_refused() -> None:
    with pytest.raises(InvalidGeometryError, match="orthonormal"):
        VolumeGeometry(
            shape=(2, 2, 2),
            spacing=VoxelSpacing(slice_mm=1, row_mm=1, column_mm=1),
            origin_mm=(0.0, 0.0, 0.0),
            slice_direction=(0.0, 0.2, 1.0),
            row_direction=(0.0, 1.0, 0.0),
            column_direction=(1.0, 0.0, 0.0),
        )


def test_an_empty_axis_is_refused() -> None:
    with pytest.raises(InvalidGeometryError, match="at least 1 voxel"):
        grid(shape=(5, 0, 9))


def test_grids_are_close_when_their_corners_are() -> None:
    assert grid().is_close(grid(0.001))
    assert not grid().is_close(grid(1.0))
    assert not grid().is_close(grid(shape=(5, 7, 8)))
