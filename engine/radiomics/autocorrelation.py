"""Moran's I and Geary's C (IBSI N365, NPT7) through Fourier space.

Both are sums over all pairs of voxels, weighted by 1 / distance. Over a box of n voxels they
are correlations with the kernel 1 / distance, and by Parseval's theorem sums over spectra:
n log n steps instead of n².
"""

import math

import numpy as np
from numpy.typing import NDArray

from engine.radiomics.fourier import smooth_size
from engine.radiomics.native import Mask, Real

Spectrum = NDArray[np.complex128]


def describe_autocorrelation(
    image: Real, mask: Mask, spacing_mm: tuple[float, float, float]
) -> tuple[float, float]:
    """Moran's I and Geary's C of the intensities in a mask.

    Args:
        image: Intensities, shape (slice, row, column).
        mask: Voxels that count, same shape.
        spacing_mm: Distances between voxel centers.

    Returns:
        The two measures; NaN with fewer than two voxels or without variance.
    """
    count = int(mask.sum())
    intensities = image[mask]
    deviations = intensities - intensities.mean()
    energy = float(deviations @ deviations)
    if count < 2 or intensities.min() == intensities.max():
        return math.nan, math.nan
    sizes = tuple(smooth_size(2 * n - 1, even=True) for n in mask.shape)
    deviation = np.zeros(mask.shape)
    deviation[mask] = deviations
    spectra = [
        np.fft.rfftn(field, sizes, axes=(0, 1, 2))
        for field in (mask.astype(float), deviation, deviation**2)
    ]
    weights = _pair_weights(sizes, spacing_mm)
    total = _correlate(weights, spectra[0], spectra[0])
    product = _correlate(weights, spectra[1], spectra[1])
    squares = _correlate(weights, spectra[2], spectra[0])
    moran = count / total * product / energy
    geary = (count - 1) / total * (squares - product) / energy
    return moran, geary


def _pair_weights(sizes: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> Real:
    """Half spectrum of 1 / distance (0 at distance 0), times what Parseval's sum needs.

    The kernel is even along every axis, so its spectrum is real and one octant is enough.
    """
    axes = [np.arange(n // 2 + 1) * mm for n, mm in zip(sizes, spacing_mm, strict=True)]
    squared = axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2
    squared[0, 0, 0] = np.inf
    spectrum = 1 / np.sqrt(squared)
    for axis in (2, 1, 0):
        mirrored = np.flip(spectrum, axis).take(range(1, spectrum.shape[axis] - 1), axis)
        whole = np.concatenate([spectrum, mirrored], axis)
        spectrum = np.ascontiguousarray(np.fft.rfft(whole, axis=axis).real)
    spectrum[:, :, 1:-1] *= 2  # the half spectrum stands for both signs of these frequencies
    spectrum /= math.prod(sizes)
    return np.asarray(spectrum)


def _correlate(weights: Real, a: Spectrum, b: Spectrum) -> float:
    """Sum over all frequencies of weights · Re(a · conj(b))."""
    power = a.real * b.real + a.imag * b.imag
    half = weights.shape[1] - 1
    folded = power[:, : half + 1].copy()
    folded[:, 1:half] += power[:, :half:-1]
    half = weights.shape[0] - 1
    total = np.einsum("ijk,ijk", folded[: half + 1], weights)
    return float(total + np.einsum("ijk,ijk", folded[:half:-1], weights[1:half]))
