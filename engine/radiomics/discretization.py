"""Gray levels from intensities (IBSI 2.7)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.radiomics.native import Real
from engine.radiomics.settings import Discretization, DiscretizationMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class GrayLevels:
    """Discretized intensities of a region.

    Attributes:
        levels: Level of each voxel, counted from 1, shape (n_voxels,).
        count: Number of levels N_g: the highest that can occur.
    """

    levels: NDArray[np.int64]
    count: int


def discretize(
    intensities: Real, discretization: Discretization, lower_bound: float | None = None
) -> GrayLevels:
    """Give every intensity its gray level.

    Args:
        intensities: Intensities in the region, shape (n_voxels,), n_voxels > 0.
        discretization: Fixed bin size (IBSI Q3RU) or fixed bin number (IBSI K15C).
        lower_bound: Lower edge of bin 1 for a fixed bin size; None: the least intensity.

    Returns:
        Levels and their number. For a fixed bin size the number is the highest level that
        occurs; for a fixed bin number it is that number.
    """
    lowest, highest = float(intensities.min()), float(intensities.max())
    if discretization.method is DiscretizationMethod.FIXED_BIN_NUMBER:
        count = int(discretization.value)
        if lowest == highest:
            return GrayLevels(levels=np.ones(len(intensities), np.int64), count=count)
        scaled = np.floor(count * (intensities - lowest) / (highest - lowest))
        return GrayLevels(levels=np.minimum(scaled.astype(np.int64) + 1, count), count=count)
    start = lowest if lower_bound is None else lower_bound
    count = count_levels(start, highest, discretization)
    levels = np.floor((intensities - start) / discretization.value).astype(np.int64) + 1
    return GrayLevels(levels=levels, count=count)


def count_levels(start: float, highest: float, discretization: Discretization) -> int:
    """Number of gray levels from the lower edge of bin 1 to the highest intensity."""
    if discretization.method is DiscretizationMethod.FIXED_BIN_NUMBER:
        return int(discretization.value)
    return math.floor((highest - start) / discretization.value) + 1
