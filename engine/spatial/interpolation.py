"""One-dimensional interpolation as weight matrices.

Linear, cubic B-spline and Gaussian-smoothed interpolation are all linear maps of the samples
along an axis, so each is a matrix of shape (n_out, n_in). Three of them resample a volume.
"""

import numpy as np
from numpy.typing import NDArray

NEGLIGIBLE_WEIGHT = 1e-6
GAUSSIAN_REACH = 3.0
"""Standard deviations after which the antialiasing kernel is cut."""
FWHM_PER_SIGMA = 2.3548200450309493
"""Full width at half maximum of a Gaussian with standard deviation 1: 2·sqrt(2·ln 2)."""

Matrix = NDArray[np.float32]


def linear_weights(positions: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """Linear interpolation at fractional sample positions, edge samples extended.

    Args:
        positions: Where to interpolate, in samples, shape (n_out,).
        samples: Number of samples n_in.

    Returns:
        Weights, shape (n_out, n_in); every row sums to 1.
    """
    clamped = np.clip(positions, 0, samples - 1)
    lower = np.minimum(np.floor(clamped).astype(np.intp), max(samples - 2, 0))
    fraction = clamped - lower
    weights = np.zeros((len(positions), samples))
    rows = np.arange(len(positions))
    weights[rows, lower] = 1 - fraction
    weights[rows, np.minimum(lower + 1, samples - 1)] += fraction
    return weights


def bspline_weights(positions: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """Cubic B-spline interpolation with mirrored boundaries.

    The samples are first turned into spline coefficients (the tridiagonal system 1/6, 4/6,
    1/6), then the spline is evaluated (Unser 1999, doi:10.1109/79.799930).

    Returns:
        Weights, shape (n_out, n_in); every row sums to 1.
    """
    if samples < 3:
        return linear_weights(positions, samples)
    clamped = np.clip(positions, 0, samples - 1)
    base = np.floor(clamped).astype(np.intp)
    t = clamped - base
    taps = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    evaluation = np.zeros((len(positions), samples))
    rows = np.arange(len(positions))
    for offset, tap in enumerate(taps, start=-1):
        index = np.abs(base + offset)
        index = np.where(index > samples - 1, 2 * (samples - 1) - index, index)
        np.add.at(evaluation, (rows, index), tap)
    system = np.diag(np.full(samples, 4.0)) + np.diag(np.ones(samples - 1), 1)
    system += np.diag(np.ones(samples - 1), -1)
    system[0, 1] = system[-1, -2] = 2.0
    return np.asarray(np.linalg.solve((system / 6).T, evaluation.T).T)


def antialiasing_weights(samples: int, *, source_mm: float, target_mm: float) -> Matrix:
    """Gaussian smoothing before an axis is sampled more coarsely.

    The kernel widens the source's point spread function to the target's, both taken as
    Gaussians with a full width at half maximum of one voxel: sigma² = (target² - source²) /
    (8·ln 2) (Cardoso et al. 2015, doi:10.1007/978-3-319-24571-3_81). Edge samples extended.

    Returns:
        Weights, shape (samples, samples); the identity when the target is not coarser.
    """
    if target_mm <= source_mm:
        return np.eye(samples, dtype=np.float32)
    sigma = np.sqrt(target_mm**2 - source_mm**2) / FWHM_PER_SIGMA / source_mm
    reach = int(np.ceil(GAUSSIAN_REACH * sigma))
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= kernel.sum()
    weights = np.zeros((samples, samples))
    rows = np.arange(samples)
    for offset, weight in zip(offsets, kernel, strict=True):
        np.add.at(weights, (rows, np.clip(rows + offset, 0, samples - 1)), weight)
    return weights.astype(np.float32)


def trim(weights: NDArray[np.float64]) -> Matrix:
    """Drop negligible weights and make every row sum to 1 again."""
    kept = np.where(np.abs(weights) < NEGLIGIBLE_WEIGHT, 0.0, weights)
    return np.asarray(kept / kept.sum(axis=1, keepdims=True), np.float32)
