"""Turning to the standard axes moves no voxel in patient space."""

from itertools import permutations, product

import numpy as np
import pytest

from engine.errors import InvalidGeometryError
from engine.spatial.orientation import (
    find_axis_order,
    from_standard_axes,
    standard_geometry,
    to_standard_axes,
)
from engine.values.geometry import VolumeGeometry, VoxelSpacing

ALL_AXIS_ORDERS = [
    (axes, signs) for axes in permutations(range(3)) for signs in product((1, -1), repeat=3)
]


def _unit(axis: int, sign: int) -> tuple[float, float, float]:
    vector = [0.0, 0.0, 0.0]
    vector[axis] = float(sign)
    return (vector[0], vector[1], vector[2])


def _geometry(axes: tuple[int, ...], signs: tuple[int, ...]) -> VolumeGeometry:
    return VolumeGeometry(
        shape=(3, 4, 5),
        spacing=VoxelSpacing(slice_mm=2.5, row_mm=0.7, column_mm=0.8),
        origin_mm=(-101.0, 37.0, 12.0),
        slice_direction=_unit(axes[0], signs[0]),
        row_direction=_unit(axes[1], signs[1]),
        column_direction=_unit(axes[2], signs[2]),
        frame_of_reference_uid="1.2.3",
    )


def _rotated(degrees: float) -> VolumeGeometry:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return VolumeGeometry(
        shape=(3, 4, 5),
        spacing=VoxelSpacing(slice_mm=2.5, row_mm=0.7, column_mm=0.8),
        origin_mm=(1.0, 2.0, 3.0),
        slice_direction=(0.0, -s, c),
        row_direction=(0.0, c, s),
        column_direction=(1.0, 0.0, 0.0),
    )


@pytest.mark.parametrize(("axes", "signs"), ALL_AXIS_ORDERS)
def test_slices_grow_to_the_head_rows_to_posterior_columns_to_left(
    axes: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    geometry = standard_geometry(_geometry(axes, signs))
    np.testing.assert_array_equal(geometry.slice_direction, (0, 0, 1))
    np.testing.assert_array_equal(geometry.row_direction, (0, 1, 0))
    np.testing.assert_array_equal(geometry.column_direction, (1, 0, 0))


@pytest.mark.parametrize(("axes", "signs"), ALL_AXIS_ORDERS)
def test_every_voxel_keeps_its_place_in_patient_space(
    axes: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    """A volume that stores its own x coordinate still does after turning."""
    source = _geometry(axes, signs)
    positions = source.to_patient(np.moveaxis(np.indices(source.shape), 0, -1).astype(float))
    for component in range(3):
        turned, geometry = to_standard_axes(positions[..., component], source)
        index = np.moveaxis(np.indices(geometry.shape), 0, -1).astype(float)
        np.testing.assert_allclose(turned, geometry.to_patient(index)[..., component], atol=1e-9)


@pytest.mark.parametrize(("axes", "signs"), ALL_AXIS_ORDERS)
def test_turning_back_is_exact(axes: tuple[int, ...], signs: tuple[int, ...]) -> None:
    source = _geometry(axes, signs)
    voxels = np.arange(60, dtype=np.int16).reshape(source.shape)
    turned, _ = to_standard_axes(voxels, source)
    np.testing.assert_array_equal(from_standard_axes(turned, source), voxels)


def test_channels_stay_in_front() -> None:
    source = _geometry((1, 0, 2), (1, -1, -1))
    logits = np.random.default_rng(0).normal(size=(2, *source.shape)).astype(np.float32)
    turned, geometry = to_standard_axes(logits, source)
    assert turned.shape == (2, *geometry.shape)
    np.testing.assert_array_equal(from_standard_axes(turned, source), logits)


def test_a_tilted_volume_keeps_its_directions_and_turns_to_the_closest_axes() -> None:
    source = _rotated(30)
    _, geometry = to_standard_axes(np.zeros(source.shape, np.int16), source)
    assert geometry.is_close(source)


def test_past_45_degrees_the_other_axis_is_closest() -> None:
    assert find_axis_order(_rotated(60)).source_axes == (1, 0, 2)


def test_an_array_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidGeometryError, match=r"\(3, 4, 6\)"):
        to_standard_axes(np.zeros((3, 4, 6)), _rotated(0))
