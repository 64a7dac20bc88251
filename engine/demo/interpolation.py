"""Separable interpolation as matrices: fast on any grid, with the blur built in."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
_QUADRATURE = np.linspace(-2.0, 2.0, 9)


def _cubic_convolution(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' kernel with a = -1/2 (doi:10.1109/TASSP.1981.1163711)."""
    t = np.abs(distance)
    near = (1.5 * t - 2.5) * t * t + 1.0
    far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
    return np.where(t < 1, near, np.where(t < 2, far, 0.0))


def _cubic_spline(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.abs(distance)
    near = 2.0 / 3.0 - t * t + t**3 / 2.0
    return np.where(t < 1, near, np.where(t < 2, (2.0 - t) ** 3 / 6.0, 0.0))


def _normalized(weights: NDArray[np.float64]) -> Matrix:
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def blurring_matrix(
    source_mm: NDArray[np.float64], target_mm: NDArray[np.float64], *, sigma_mm: float
) -> Matrix:
    """Cubic interpolation from one axis to another, blurred by a Gaussian.

    Args:
        source_mm: Evenly spaced sample positions, shape (n_source,).
        target_mm: Positions to interpolate at, shape (n_target,).
        sigma_mm: Of the Gaussian point-spread function.

    Returns:
        Weights whose rows add up to 1, shape (n_target, n_source).
    """
    step_mm = source_mm[1] - source_mm[0]
    weights = np.zeros((len(target_mm), len(source_mm)))
    for q in _QUADRATURE:
        distance = (target_mm[:, None] + q * sigma_mm - source_mm[None, :]) / step_mm
        weights += np.exp(-0.5 * q * q) * _cubic_convolution(distance)
    return _normalized(weights)


def interpolate_linearly(
    values: NDArray[np.float32],
    source_mm: NDArray[np.float64],
    target_mm: NDArray[np.float64],
    axis: int,
) -> NDArray[np.float32]:
    """Linear interpolation along one axis; constant beyond the ends."""
    step_mm = source_mm[1] - source_mm[0]
    at = np.clip((target_mm - source_mm[0]) / step_mm, 0, len(source_mm) - 1)
    low = np.minimum(at.astype(int), len(source_mm) - 2)
    outline = [1] * values.ndim
    outline[axis] = -1
    share = (at - low).astype(np.float32).reshape(outline)
    below, above = values.take(low, axis), values.take(low + 1, axis)
    return np.asarray(below + share * (above - below), np.float32)


def smooth_matrix(knots_mm: NDArray[np.float64], target_mm: NDArray[np.float64]) -> Matrix:
    """Cubic B-spline weights of random knots. Shape (n_target, n_knots)."""
    step_mm = knots_mm[1] - knots_mm[0]
    return _normalized(_cubic_spline((target_mm[:, None] - knots_mm[None, :]) / step_mm))


def apply_along_axes(
    volume: NDArray[np.float32], along_z: Matrix, along_y: Matrix, along_x: Matrix
) -> NDArray[np.float32]:
    """Multiply each axis of [z, y, x] by its matrix."""
    in_plane = along_y @ (volume @ along_x.T)
    stacked = along_z @ in_plane.reshape(in_plane.shape[0], -1)
    return np.ascontiguousarray(stacked.reshape(-1, *in_plane.shape[1:]), np.float32)
