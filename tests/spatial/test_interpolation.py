"""One-dimensional weights: partition of unity, exactness, published definitions."""

import numpy as np
import pytest
import SimpleITK

from engine.spatial.interpolation import (
    antialiasing_weights,
    bspline_weights,
    linear_weights,
    trim,
)


def test_linear_weights_reproduce_a_ramp() -> None:
    positions = np.array([0.0, 0.25, 3.5, 6.0])
    ramp = np.arange(7.0)
    np.testing.assert_allclose(linear_weights(positions, 7) @ ramp, positions)


@pytest.mark.parametrize("position", [-0.4, 6.4])
def test_beyond_the_outer_centers_the_edge_value_holds(position: float) -> None:
    edge = 0.0 if position < 0 else 6.0
    assert linear_weights(np.array([position]), 7) @ np.arange(7.0) == pytest.approx(edge)


def test_one_sample_is_constant() -> None:
    np.testing.assert_array_equal(linear_weights(np.array([-0.3, 0.0, 0.4]), 1), np.ones((3, 1)))


def test_the_spline_passes_through_its_samples() -> None:
    np.testing.assert_allclose(bspline_weights(np.arange(9.0), 9), np.eye(9), atol=1e-12)


def test_the_spline_agrees_with_simpleitk() -> None:
    """ITK's BSplineInterpolateImageFunction is an independent implementation."""
    samples = np.random.default_rng(1).normal(size=40)
    positions = np.linspace(8, 31, 47)
    image = SimpleITK.GetImageFromArray(np.tile(samples, (5, 1)).astype(np.float64))
    reference = [
        image.EvaluateAtContinuousIndex((float(p), 2.0), SimpleITK.sitkBSpline3) for p in positions
    ]
    np.testing.assert_allclose(bspline_weights(positions, 40) @ samples, reference, atol=1e-6)


def test_smoothing_widens_the_point_spread_to_the_target_voxel() -> None:
    """sigma² = (target² - source²) / (8 ln 2), Cardoso et al. 2015; 3 sigma cut loses 3 %."""
    response = antialiasing_weights(201, source_mm=0.7, target_mm=5.0)[100].astype(float)
    offsets_mm = (np.arange(201) - 100) * 0.7
    variance = (response * offsets_mm**2).sum() / response.sum()
    assert variance == pytest.approx((5.0**2 - 0.7**2) / (8 * np.log(2)), rel=0.03)


def test_a_finer_target_is_not_smoothed() -> None:
    np.testing.assert_array_equal(antialiasing_weights(5, source_mm=2.0, target_mm=1.0), np.eye(5))


def test_trimmed_rows_sum_to_one() -> None:
    weights = trim(bspline_weights(np.linspace(0, 60, 90), 61))
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert (weights[45] == 0).sum() > 20
