"""Shape of a region (IBSI 3.1).

Mesh, axes and densities come from the morphological mask; center of mass shift, integrated
intensity and spatial autocorrelation also look at the intensity mask.
"""

import math

import numpy as np

from engine.radiomics.autocorrelation import describe_autocorrelation
from engine.radiomics.native import Mask, Real, find_box, load_core, pointer, shape_of
from engine.radiomics.surface import SurfaceMeasures, measure_surface

LEGENDRE_TERMS = 20
"""Terms of the series for an ellipsoid's surface (IBSI 3.1.16, truncated as IBSI does)."""


def describe_morphology(
    morphological: Mask,
    intensity: Mask,
    image: Real,
    spacing_mm: tuple[float, float, float],
    *,
    autocorrelation_limit: int,
) -> Real:
    """25 morphological features, in IBSI order.

    Args:
        morphological: Morphological mask, at least one voxel.
        intensity: Intensity mask of the same shape, at least one voxel.
        image: Intensities, same shape.
        spacing_mm: Distances between voxel centers along the three axes.
        autocorrelation_limit: Most voxels of the box for Moran's I and Geary's C.

    Returns:
        Features, shape (25,); NaN where undefined or, for the last two, above the limit.
    """
    surface = measure_surface(np.pad(morphological, 1), spacing_mm)
    spacing = np.array(spacing_mm)
    sums = _sum_positions(morphological)
    axes = _principal_axes(sums, spacing)
    extent = _extent(morphological) * spacing
    weights = _weigh_positions(image, intensity)
    integrated = surface.volume_mm3 * float(weights[0]) / np.count_nonzero(intensity)
    if intensity.size > autocorrelation_limit:
        autocorrelation = (math.nan, math.nan)
    else:
        autocorrelation = describe_autocorrelation(image, intensity, spacing_mm)
    return np.array(
        [
            surface.volume_mm3,
            sums[0] * spacing.prod(),
            surface.area_mm2,
            *_compactness(surface.volume_mm3, surface.area_mm2),
            _center_shift(sums, weights, spacing),
            surface.diameter_mm,
            *(4 * axes),
            _ratio(axes[1], axes[0]),
            _ratio(axes[2], axes[0]),
            *_densities(surface, extent, axes),
            integrated,
            *autocorrelation,
        ]
    )


def _compactness(volume: float, area: float) -> tuple[float, ...]:
    """Surface to volume ratio and the six measures of likeness to a sphere."""
    sphere = 36 * math.pi * volume**2
    return (
        area / volume,
        volume / (math.sqrt(math.pi) * area**1.5),
        sphere / area**3,
        area / sphere ** (1 / 3),
        sphere ** (1 / 3) / area,
        (area**3 / sphere) ** (1 / 3) - 1,
    )


def _sum_positions(mask: Mask) -> list[int]:
    """Voxels, sums of z, y, x, and of zz, yy, xx, zy, zx, yx."""
    sums = np.empty(10, np.int64)
    voxels = np.ascontiguousarray(mask).view(np.uint8)
    load_core().sum_positions(pointer(voxels), shape_of(voxels), pointer(sums))
    return [int(total) for total in sums]


def _weigh_positions(image: Real, mask: Mask) -> Real:
    """Sum of the intensities in a mask, and of the intensities times z, y and x."""
    sums = np.empty(4)
    voxels = np.ascontiguousarray(mask).view(np.uint8)
    values = np.ascontiguousarray(image)
    load_core().weigh_positions(pointer(values), pointer(voxels), shape_of(voxels), pointer(sums))
    return sums


def _extent(mask: Mask) -> Real:
    """Voxels of the mask's box along each axis."""
    box = find_box(mask) or ()
    return np.array([last - first + 1.0 for first, last in box])


def _center_shift(sums: list[int], weights: Real, spacing: Real) -> float:
    """Distance between the region's center and its intensity-weighted center."""
    if weights[0] == 0:
        return math.nan
    center = np.array(sums[1:4]) / sums[0]
    shift = (weights[1:] / weights[0] - center) * spacing
    return math.hypot(*shift.tolist())


def _principal_axes(sums: list[int], spacing: Real) -> Real:
    """Square roots of the eigenvalues of the voxel positions' covariance, largest first.

    The covariance comes from whole numbers, so that a flat region is exactly flat.
    """
    count, z, y, x, zz, yy, xx, zy, zx, yx = sums
    if count == 1:
        return np.zeros(3)
    products = [
        [count * zz - z * z, count * zy - z * y, count * zx - z * x],
        [count * zy - z * y, count * yy - y * y, count * yx - y * x],
        [count * zx - z * x, count * yx - y * x, count * xx - x * x],
    ]
    pairs = count * (count - 1)
    covariance = np.array([[n / pairs for n in row] for row in products])
    eigenvalues = np.linalg.eigvalsh(covariance * np.outer(spacing, spacing))[::-1]
    negligible = 1e-12 * max(float(eigenvalues[0]), 0.0)
    return np.sqrt(np.where(eigenvalues > negligible, eigenvalues, 0.0))


def _densities(surface: SurfaceMeasures, extent: Real, axes: Real) -> tuple[float, ...]:
    """Volume and area densities: bounding box, approximate ellipsoid, convex hull."""
    z, y, x = (float(mm) for mm in extent)
    semi_axes = 2 * axes
    ellipsoid_volume = float(4 / 3 * math.pi * semi_axes.prod())
    return (
        surface.volume_mm3 / (z * y * x),
        surface.area_mm2 / (2 * (z * y + z * x + y * x)),
        _ratio(surface.volume_mm3, ellipsoid_volume),
        _ratio(surface.area_mm2, _ellipsoid_area(semi_axes)),
        surface.volume_mm3 / surface.hull_volume_mm3,
        surface.area_mm2 / surface.hull_area_mm2,
    )


def _ellipsoid_area(semi_axes: Real) -> float:
    """Surface of an ellipsoid by its Legendre series (IBSI RDD2); 0 for a flat one.

    The terms (αβ)^k P_k((α² + β²) / 2αβ) are taken from their own recurrence, which stays
    finite for spheres, where α or β is 0.
    """
    a, b, c = (float(x) for x in semi_axes)
    if c == 0:
        return 0.0
    alpha_squared, beta_squared = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    mean, product = (alpha_squared + beta_squared) / 2, alpha_squared * beta_squared
    previous, term, total = 0.0, 1.0, 0.0
    for k in range(LEGENDRE_TERMS + 1):
        total += term / (1 - 4 * k * k)
        previous, term = term, ((2 * k + 1) * mean * term - k * product * previous) / (k + 1)
    return 4 * math.pi * a * b * total


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator else math.nan
