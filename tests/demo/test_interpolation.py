"""Interpolation matrices."""

import numpy as np
import pytest

from engine.demo.interpolation import (
    apply_along_axes,
    blurring_matrix,
    interpolate_linearly,
    smooth_matrix,
)

SOURCE = np.arange(0.0, 30.0, 1.5)
TARGET = np.arange(6.0, 21.0, 0.75)


def test_a_straight_line_stays_straight_under_cubic_interpolation_and_blur() -> None:
    weights = blurring_matrix(SOURCE, TARGET, sigma_mm=0.6)
    assert weights @ (3 * SOURCE - 7) == pytest.approx(3 * TARGET - 7, abs=1e-4)


def test_without_blur_the_samples_themselves_come_back() -> None:
    weights = blurring_matrix(SOURCE, SOURCE[3:-3], sigma_mm=1e-6)
    assert weights == pytest.approx(np.eye(len(SOURCE))[3:-3], abs=1e-4)


def test_a_blurred_step_has_the_width_of_the_gaussian() -> None:
    fine = np.arange(0.0, 40.0, 0.1)
    edge = blurring_matrix(fine, fine, sigma_mm=1.0) @ (fine > 20).astype(np.float32)
    slope = np.diff(edge)
    middle = (slope * fine[1:]).sum() / slope.sum()
    assert np.sqrt((slope * (fine[1:] - middle) ** 2).sum()) == pytest.approx(1.0, rel=0.1)


def test_linear_interpolation_is_exact_on_a_line_and_constant_beyond() -> None:
    values = np.tile((2 * SOURCE).astype(np.float32), (2, 1))
    wanted = np.array([-5.0, 3.3, 100.0])
    found = interpolate_linearly(values, SOURCE, wanted, axis=1)
    assert found[0] == pytest.approx([0.0, 6.6, 2 * SOURCE[-1]])


def test_smooth_weights_are_a_partition_of_one() -> None:
    weights = smooth_matrix(np.arange(-30.0, 70.0, 10.0), TARGET)
    assert weights.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert (weights >= 0).all()


def test_each_axis_gets_its_own_matrix() -> None:
    volume = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    pick = [np.eye(n, dtype=np.float32)[::-1] for n in volume.shape]
    assert np.array_equal(apply_along_axes(volume, *pick), volume[::-1, ::-1, ::-1])
