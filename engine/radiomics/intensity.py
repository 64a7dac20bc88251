"""Intensity statistics, histogram, volume histogram and local intensity (IBSI 3.2 to 3.5)."""

import ctypes
import math

import numpy as np

from engine.radiomics.discretization import Extremes, GrayLevels, count_by_level
from engine.radiomics.lattice import Segments
from engine.radiomics.native import (
    Index,
    Real,
    length,
    load_core,
    pointer,
    require_memory,
    triple,
)
from engine.radiomics.settings import Discretization, DiscretizationMethod

PEAK_RADIUS_MM = (3 / (4 * math.pi)) ** (1 / 3) * 10
"""Radius of a sphere of 1 cm³ (IBSI 3.2)."""


def describe_statistics(intensities: Real) -> Real:
    """18 intensity statistics (IBSI 3.3) of intensities, shape (n_voxels,)."""
    features = np.empty(18)
    done = load_core().describe_intensities(
        pointer(intensities), length(intensities), pointer(features)
    )
    require_memory(done, "intensity statistics")
    return features


def describe_histogram(gray: GrayLevels) -> Real:
    """23 features of the histogram of gray levels (IBSI 3.4)."""
    features = np.empty(23)
    done = load_core().describe_histogram(pointer(gray.histogram), gray.count, pointer(features))
    require_memory(done, "a histogram")
    return features


def describe_volume_histogram(
    intensities: Real,
    steps: Discretization,
    extremes: Extremes,
    bounds: tuple[float | None, float | None],
) -> Real:
    """6 features of the intensity-volume histogram (IBSI 3.5).

    Args:
        intensities: Intensities in the region, shape (n_voxels,).
        steps: NONE: whole intensity units; fixed bin size: bins named by their centers; fixed
            bin number: gray levels.
        extremes: Least and largest of the intensities.
        bounds: Re-segmentation bounds that span the intensity axis; None: the extremes.

    Returns:
        Volume fractions, intensities (gray levels for a fixed bin number), differences.
    """
    features = np.empty(6)
    if steps.method is DiscretizationMethod.FIXED_BIN_NUMBER:
        counts = count_by_level(intensities, steps, extremes)
        load_core().describe_volume_levels(
            pointer(counts), len(counts), length(intensities), pointer(features)
        )
        return features
    low = extremes[0] if bounds[0] is None else bounds[0]
    high = extremes[1] if bounds[1] is None else bounds[1]
    step, below = 1.0, 0.0
    if steps.method is DiscretizationMethod.FIXED_BIN_SIZE:
        step, below = steps.value, steps.value / 2
        bins = max(1, math.ceil((high - low) / step - 1e-9))
        low, high = low + below, low + below + (bins - 1) * step
    ascending = np.sort(intensities)
    load_core().describe_volume_histogram(
        pointer(ascending),
        length(ascending),
        triple((low, step, below)),
        ctypes.c_int64(math.floor((high - low) / step + 0.5) + 1),
        pointer(features),
    )
    return features


def describe_local_intensity(
    image: Real,
    box: tuple[slice, slice, slice],
    segments: Segments,
    intensities: Real,
    spacing_mm: tuple[float, float, float],
) -> Real:
    """Local and global intensity peak (IBSI 3.2).

    Args:
        image: Intensities with a margin of at least ``peak_margins`` around the box, less only
            where the image ends.
        box: Where the mask lies in the image.
        segments: Voxels of the intensity mask in the box.
        intensities: Their intensities, shape (n_voxels,).
        spacing_mm: Distances between voxel centers.

    Returns:
        Local peak (at the highest intensity) and global peak.
    """
    means = _sphere_means(image, box, segments, spacing_mm)
    return np.array([means[intensities == intensities.max()].max(), means.max()])


def peak_margins(spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """Voxels around a region that the local intensity peak looks at."""
    slices, rows, columns = (math.floor(PEAK_RADIUS_MM / mm) for mm in spacing_mm)
    return (slices, rows, columns)


def _sphere_means(
    image: Real,
    box: tuple[slice, slice, slice],
    segments: Segments,
    spacing_mm: tuple[float, float, float],
) -> Real:
    """Mean intensity of the 1 cm³ sphere around every mask voxel, cut where the image ends."""
    margins = peak_margins(spacing_mm)
    padding = [
        (max(0, m - s.start), max(0, s.stop + m - n))
        for m, s, n in zip(margins, box, image.shape, strict=True)
    ]
    crop = tuple(slice(max(0, s.start - m), s.stop + m) for m, s in zip(margins, box, strict=True))
    inside = image[crop]
    running = _running_sums(np.pad(inside, padding))
    rows = _sphere_rows(running.shape, spacing_mm)
    z, y, x = np.unravel_index(segments.start, segments.shape)
    start = np.ravel_multi_index(
        (z - 1 + margins[0], y - 1 + margins[1], x - 1 + margins[2]), running.shape
    )
    sums = _sum_rows(running, start, segments, rows)
    if not any(before or after for before, after in padding):
        return np.asarray(sums / rows[1].sum())
    present = _running_sums(np.pad(np.ones_like(inside), padding))
    return sums / _sum_rows(present, start, segments, rows)


def _running_sums(volume: Real) -> Real:
    """Sums along the rows, each row starting with 0."""
    slices, rows, columns = volume.shape
    running = np.empty((slices, rows, columns + 1))
    running[:, :, 0] = 0.0
    np.cumsum(volume, axis=2, out=running[:, :, 1:])
    return running


def _sphere_rows(
    shape: tuple[int, ...], spacing_mm: tuple[float, float, float]
) -> tuple[Index, Index]:
    """Rows of the sphere as offsets into running sums, and their lengths in voxels."""
    margins = peak_margins(spacing_mm)
    first: list[int] = []
    lengths: list[int] = []
    for z in range(-margins[0], margins[0] + 1):
        for y in range(-margins[1], margins[1] + 1):
            left = PEAK_RADIUS_MM**2 - (z * spacing_mm[0]) ** 2 - (y * spacing_mm[1]) ** 2
            if left < 0:
                continue
            reach = math.floor(math.sqrt(left) / spacing_mm[2])
            first.append((z * shape[1] + y) * shape[2] - reach)
            lengths.append(2 * reach + 1)
    return np.array(first, np.int64), np.array(lengths, np.int64)


def _sum_rows(running: Real, start: Index, segments: Segments, rows: tuple[Index, Index]) -> Real:
    out = np.empty(segments.voxels)
    load_core().sum_neighborhoods(
        pointer(running),
        pointer(np.ascontiguousarray(start, np.int64)),
        pointer(segments.length),
        length(segments.length),
        pointer(rows[0]),
        pointer(rows[1]),
        length(rows[0]),
        pointer(out),
    )
    return out
