"""Gray levels from intensities (IBSI 2.7)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.radiomics.native import Real, length, load_core, pointer, triple
from engine.radiomics.settings import Discretization, DiscretizationMethod

Extremes = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrayLevels:
    """Discretized intensities of a region.

    Attributes:
        levels: Level of each voxel, counted from 1, shape (n_voxels,).
        histogram: Voxels of each level, shape (count,).
    """

    levels: NDArray[np.uint16]
    histogram: NDArray[np.uint32]

    @property
    def count(self) -> int:
        """Number of levels N_g: the highest that can occur."""
        return len(self.histogram)


def discretize(
    intensities: Real,
    discretization: Discretization,
    extremes: Extremes,
    lower_bound: float | None = None,
) -> GrayLevels:
    """Give every intensity its gray level.

    Args:
        intensities: Intensities in the region, shape (n_voxels,), n_voxels > 0.
        discretization: Fixed bin size (IBSI Q3RU) or fixed bin number (IBSI K15C).
        extremes: Least and largest of the intensities.
        lower_bound: Lower edge of bin 1 for a fixed bin size; None: the least intensity.

    Returns:
        Levels and their histogram. For a fixed bin size the number of levels is the highest
        that occurs; for a fixed bin number it is that number.
    """
    levels = np.empty(len(intensities), np.uint16)
    histogram = _count(intensities, discretization, extremes, lower_bound, levels)
    return GrayLevels(levels=levels, histogram=histogram)


def count_by_level(
    intensities: Real, discretization: Discretization, extremes: Extremes
) -> NDArray[np.uint32]:
    """Histogram of the gray levels that ``discretize`` would give, without the levels."""
    return _count(intensities, discretization, extremes, None, None)


def _count(
    intensities: Real,
    discretization: Discretization,
    extremes: Extremes,
    lower_bound: float | None,
    levels: NDArray[np.uint16] | None,
) -> NDArray[np.uint32]:
    lowest, highest = extremes
    if discretization.method is DiscretizationMethod.FIXED_BIN_NUMBER:
        count = int(discretization.value)
        width = highest - lowest if highest > lowest else 1.0
        bins = (lowest, float(count), width)
    else:
        start = lowest if lower_bound is None else lower_bound
        count = count_levels(start, highest, discretization)
        bins = (start, 1.0, discretization.value)
    histogram = np.zeros(count, np.uint32)
    load_core().count_levels(
        pointer(intensities),
        length(intensities),
        triple(bins),
        count,
        None if levels is None else pointer(levels),
        pointer(histogram),
    )
    return histogram


def count_levels(start: float, highest: float, discretization: Discretization) -> int:
    """Number of gray levels from the lower edge of bin 1 to the highest intensity."""
    if discretization.method is DiscretizationMethod.FIXED_BIN_NUMBER:
        return int(discretization.value)
    return math.floor((highest - start) / discretization.value) + 1
