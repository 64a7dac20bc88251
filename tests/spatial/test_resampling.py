"""Resampling keeps positions: no half-voxel shift, whatever the two spacings."""

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidGeometryError
from engine.spatial import resampling
from engine.spatial.resampling import resample, resample_slabs, resample_to, resampled_geometry
from engine.values.geometry import VolumeGeometry, VoxelSpacing

spacings = st.floats(0.5, 6.0)


def _spacing(slice_mm: float, row_mm: float, column_mm: float) -> VoxelSpacing:
    return VoxelSpacing(slice_mm=slice_mm, row_mm=row_mm, column_mm=column_mm)


def _geometry(shape: tuple[int, int, int], spacing: VoxelSpacing) -> VolumeGeometry:
    c, s = np.cos(0.3), np.sin(0.3)
    return VolumeGeometry(
        shape=shape,
        spacing=spacing,
        origin_mm=(-50.0, 20.0, 300.0),
        slice_direction=(0.0, -s, c),
        row_direction=(0.0, c, s),
        column_direction=(1.0, 0.0, 0.0),
    )


def _positions(geometry: VolumeGeometry) -> np.ndarray:
    return geometry.to_patient(np.moveaxis(np.indices(geometry.shape), 0, -1).astype(float))


def _ball(geometry: VolumeGeometry, center: np.ndarray, radius_mm: float) -> np.ndarray:
    """1 inside, 0 outside, a soft rim of 3 mm (band limited enough to resample)."""
    distance = np.linalg.norm(_positions(geometry) - center, axis=-1)
    return np.clip((radius_mm - distance) / 3 + 0.5, 0, 1).astype(np.float32)


def _centroid(image: np.ndarray, geometry: VolumeGeometry) -> np.ndarray:
    weight = image.astype(float)
    return (_positions(geometry) * weight[..., None]).sum(axis=(0, 1, 2)) / weight.sum()


@given(slice_mm=spacings, row_mm=spacings, column_mm=spacings)
@settings(max_examples=50, deadline=None)
def test_the_new_grid_has_the_asked_spacing_and_the_same_center(
    slice_mm: float, row_mm: float, column_mm: float
) -> None:
    old = _geometry((20, 31, 40), _spacing(2.5, 0.7, 0.8))
    new = resampled_geometry(old, _spacing(slice_mm, row_mm, column_mm))
    centers = [g.to_patient((np.array(g.shape) - 1) / 2) for g in (old, new)]
    np.testing.assert_allclose(centers[0], centers[1], atol=1e-9)
    assert new.spacing == _spacing(slice_mm, row_mm, column_mm)
    extents = [np.array(g.shape) * g.spacing.as_tuple() for g in (old, new)]
    assert (np.abs(extents[0] - extents[1]) <= np.array(new.spacing.as_tuple()) / 2 + 1e-9).all()


@pytest.mark.parametrize("target", [(1.0, 1.0, 1.0), (3.0, 1.9, 2.1), (2.0, 2.0, 2.0)])
@pytest.mark.parametrize("order", ["linear", "bspline"])
def test_a_ball_stays_where_it_is(target: tuple[float, float, float], order: str) -> None:
    """The centroid moves by less than a hundredth of a millimeter."""
    geometry = _geometry((40, 70, 64), _spacing(1.5, 0.9, 0.8))
    center = geometry.to_patient(np.array([19.3, 36.2, 30.4]))
    moved, grid = resample(_ball(geometry, center, 14), geometry, _spacing(*target), order=order)
    np.testing.assert_allclose(_centroid(moved, grid), center, atol=0.01)


def test_a_round_trip_keeps_positions() -> None:
    """Smoothing shrinks a convex body a little; its place does not change."""
    geometry = _geometry((40, 70, 64), _spacing(1.5, 0.9, 0.8))
    center = geometry.to_patient(np.array([19.3, 36.2, 30.4]))
    ball = _ball(geometry, center, 14)
    coarse, grid = resample(ball, geometry, _spacing(2.5, 2.0, 2.0))
    back = resample_to(coarse, grid, geometry)
    np.testing.assert_allclose(_centroid(back, geometry), center, atol=0.01)
    assert (back > 0.5).sum() == pytest.approx((ball > 0.5).sum(), rel=0.03)


@pytest.mark.parametrize("factor", [2, 3])
def test_an_affine_image_is_exact_inside(factor: int) -> None:
    """Linear interpolation and a symmetric kernel reproduce a ramp away from the edges."""
    geometry = _geometry((24, 24, 24), _spacing(1.0, 1.0, 1.0))
    ramp = _positions(geometry)[..., 2].astype(np.float32)
    coarse, grid = resample(ramp, geometry, _spacing(*[float(factor)] * 3))
    inner = (slice(2, -2),) * 3
    np.testing.assert_allclose(coarse[inner], _positions(grid)[..., 2][inner], atol=1e-3)


def test_linear_upsampling_agrees_with_simpleitk() -> None:
    """An independent implementation of the same definition, including the grid."""
    shape, spacing = (7, 9, 8), _spacing(2.5, 0.8, 0.9)
    geometry = VolumeGeometry(
        shape=shape,
        spacing=spacing,
        origin_mm=(3.0, -4.0, 5.0),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )
    volume = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    ours, grid = resample(volume, geometry, _spacing(1.0, 0.5, 0.6))
    image = SimpleITK.GetImageFromArray(volume)
    image.SetSpacing(spacing.as_tuple()[::-1])
    image.SetOrigin(geometry.origin_mm)
    theirs = SimpleITK.Resample(
        image,
        grid.shape[::-1],
        SimpleITK.Transform(),
        SimpleITK.sitkLinear,
        grid.origin_mm,
        grid.spacing.as_tuple()[::-1],
        (1, 0, 0, 0, 1, 0, 0, 0, 1),
        float("nan"),
    )
    reference = SimpleITK.GetArrayFromImage(theirs)
    inside = np.isfinite(reference)
    assert inside.mean() > 0.9
    np.testing.assert_allclose(ours[inside], reference[inside], atol=1e-5)


def test_downsampling_suppresses_what_the_coarse_grid_cannot_hold() -> None:
    """A checkerboard averages out with antialiasing and aliases without it."""
    geometry = _geometry((24, 24, 24), _spacing(1.0, 1.0, 1.0))
    board = (np.indices(geometry.shape).sum(axis=0) % 2 * 200 - 100).astype(np.float32)
    smooth, _ = resample(board, geometry, _spacing(3.0, 3.0, 3.0))
    raw, _ = resample(board, geometry, _spacing(3.0, 3.0, 3.0), antialias=False)
    assert np.abs(smooth).max() < 5
    assert np.abs(raw).max() > 50


def test_labels_keep_their_type_and_values() -> None:
    geometry = _geometry((10, 12, 14), _spacing(2.0, 1.0, 1.0))
    labels = np.random.default_rng(3).integers(0, 3, geometry.shape).astype(np.uint8)
    fine, grid = resample(labels, geometry, _spacing(1.0, 0.5, 0.5), order="nearest")
    assert fine.dtype == np.uint8
    assert set(np.unique(fine)) == {0, 1, 2}
    back = resample_to(fine, grid, geometry, order="nearest")
    np.testing.assert_array_equal(back, labels)


def test_hounsfield_units_are_rounded_and_stay_int16() -> None:
    geometry = _geometry((4, 4, 4), _spacing(2.0, 2.0, 2.0))
    volume = np.full(geometry.shape, -1000, np.int16)
    fine, _ = resample(volume, geometry, _spacing(1.3, 1.3, 1.3), order="bspline")
    assert fine.dtype == np.int16
    assert (fine == -1000).all()


def test_outside_the_input_the_asked_value_stands() -> None:
    """A network's crop is put back into the whole volume."""
    whole = _geometry((10, 10, 10), _spacing(1.0, 1.0, 1.0))
    x, y, z = whole.to_patient(np.array([3.0, 4.0, 5.0]))
    crop = VolumeGeometry(
        shape=(2, 3, 4),
        spacing=whole.spacing,
        origin_mm=(float(x), float(y), float(z)),
        slice_direction=whole.slice_direction,
        row_direction=whole.row_direction,
        column_direction=whole.column_direction,
    )
    restored = resample_to(np.ones(crop.shape, np.float32), crop, whole, outside=0.0)
    expected = np.zeros(whole.shape, np.float32)
    expected[3:5, 4:7, 5:9] = 1
    np.testing.assert_allclose(restored, expected, atol=1e-6)


def test_slabs_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    geometry = _geometry((9, 30, 30), _spacing(2.0, 1.0, 1.0))
    logits = np.random.default_rng(4).normal(size=(3, *geometry.shape)).astype(np.float32)
    target = resampled_geometry(geometry, _spacing(0.9, 0.7, 0.7))
    whole = resample_to(logits, geometry, target)
    monkeypatch.setattr(resampling, "SLAB_BYTES", 400_000)
    slabs = list(resample_slabs(logits, geometry, target))
    assert len(slabs) > 3
    np.testing.assert_allclose(np.concatenate([s for _, s in slabs], axis=1), whole, atol=1e-5)


def test_grids_that_are_not_parallel_are_refused() -> None:
    geometry = _geometry((4, 4, 4), _spacing(1.0, 1.0, 1.0))
    upright = VolumeGeometry(
        shape=(4, 4, 4),
        spacing=geometry.spacing,
        origin_mm=geometry.origin_mm,
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )
    with pytest.raises(InvalidGeometryError, match="parallel"):
        resample_to(np.zeros((4, 4, 4)), geometry, upright)
