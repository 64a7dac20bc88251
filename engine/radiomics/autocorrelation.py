"""Moran's I and Geary's C (IBSI N365, NPT7) through Fourier space.

Both are sums over all pairs of voxels, weighted by 1 / distance. Over a box of n voxels they
are correlations with the kernel 1 / distance, and by Parseval's theorem sums over spectra:
n log n steps instead of n².
"""

import math

import numpy as np

from engine.radiomics.fourier import smooth_size
from engine.radiomics.native import (
    Mask,
    Real,
    load_core,
    pointer,
    require_memory,
    size_triple,
    triple,
)


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
    intensities = image[mask]
    count = len(intensities)
    if count < 2 or intensities.min() == intensities.max():
        return math.nan, math.nan
    fields = np.zeros((3, *mask.shape))
    fields[0] = mask
    np.subtract(image, intensities.mean(), out=fields[1], where=mask)
    np.square(fields[1], out=fields[2])
    energy = float(fields[2].sum())
    sizes = tuple(smooth_size(2 * n - 1, even=True) for n in mask.shape)
    sums = np.empty(3)
    done = load_core().sum_pairs(
        pointer(fields), size_triple(mask.shape), size_triple(sizes), triple(spacing_mm),
        pointer(sums),
    )  # fmt: skip
    require_memory(done, "spatial autocorrelation")
    total, product, squares = sums.tolist()
    moran = count / total * product / energy
    geary = (count - 1) / total * (squares - product) / energy
    return moran, geary
