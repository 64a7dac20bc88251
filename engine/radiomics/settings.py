"""Extraction settings: one frozen value that decides every number and travels with the result."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.errors import RegionError
from engine.radiomics.catalog import Aggregation, Family
from engine.radiomics.filters.kinds import Filter

MOST_GRAY_LEVELS = 2520
"""The core adds the levels of 26 neighbors in 16 bits."""
SETTINGS_VERSION = 1
"""Raised whenever the same settings would give other numbers."""


class Interpolation(StrEnum):
    """How the image is resampled; the mask is always resampled linearly."""

    NONE = "none"
    LINEAR = "linear"
    CUBIC_SPLINE = "cubic spline"


class DiscretizationMethod(StrEnum):
    """How intensities become gray levels (IBSI 2.7)."""

    FIXED_BIN_SIZE = "fixed bin size"
    FIXED_BIN_NUMBER = "fixed bin number"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Discretization:
    """Discretization method with its bin width (image intensities) or number of bins.

    Attributes:
        method: NONE keeps the intensities themselves as levels (volume histogram only).
        value: Bin width of FIXED_BIN_SIZE, number of bins of FIXED_BIN_NUMBER.
    """

    method: DiscretizationMethod
    value: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value > 0):
            raise RegionError(f"Bin width or number must be above 0, got {self.value}")
        if self.method is DiscretizationMethod.FIXED_BIN_NUMBER and self.value != int(self.value):
            raise RegionError(f"The number of bins must be whole, got {self.value}")


FBS_25_HU = Discretization(DiscretizationMethod.FIXED_BIN_SIZE, 25.0)
FBN_32 = Discretization(DiscretizationMethod.FIXED_BIN_NUMBER, 32)
FBN_1000 = Discretization(DiscretizationMethod.FIXED_BIN_NUMBER, 1000)
WHOLE_UNITS = Discretization(DiscretizationMethod.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiomicsSettings:
    """Everything that decides the features. The defaults are those for CT of the liver.

    Attributes:
        spacing_mm: Spacing (slice, row, column) to resample to; None keeps an axis as it is.
        interpolation: Of the image; NONE switches resampling off altogether.
        round_intensities: Round resampled intensities to whole units (IBSI: HU are whole).
        mask_threshold: Partial volume from which a resampled voxel belongs to the region.
        resegmentation_range: Intensities that stay in the intensity mask; None: all, and
            None as a bound: open.
        resegmentation_sigma: Keep intensities within mean ± this many standard deviations
            of the intensity mask; None: all.
        discretization: Gray levels of the original image.
        filtered_discretization: Gray levels of filter responses, which have no calibrated unit.
        volume_histogram: Steps of the intensity-volume histogram of the original image.
        filtered_volume_histogram: The same for filter responses.
        aggregations: Texture aggregations, in output order.
        families: Families to extract, in output order. Morphology and local intensity are
            taken from the original image only.
        filters: Filters whose responses are described too, in output order.
        intensity_unit: UCUM unit of the original image.
        gray_level_limit: Most gray levels; texture of an image with more is not computed.
        autocorrelation_limit: Most voxels of the region's box for Moran's I and Geary's C.
    """

    spacing_mm: tuple[float | None, float | None, float | None] = (1.0, 1.0, 1.0)
    interpolation: Interpolation = Interpolation.CUBIC_SPLINE
    round_intensities: bool = True
    mask_threshold: float = 0.5
    resegmentation_range: tuple[float | None, float | None] | None = (-150.0, 250.0)
    resegmentation_sigma: float | None = None
    discretization: Discretization = FBS_25_HU
    filtered_discretization: Discretization = FBN_32
    volume_histogram: Discretization = WHOLE_UNITS
    filtered_volume_histogram: Discretization = FBN_1000
    aggregations: tuple[Aggregation, ...] = (Aggregation.AVERAGED_3D, Aggregation.MERGED_3D)
    families: tuple[Family, ...] = tuple(Family)
    filters: tuple[Filter, ...] = ()
    intensity_unit: str = "[hnsf'U]"
    gray_level_limit: int = 1024
    autocorrelation_limit: int = 2_500_000

    def __post_init__(self) -> None:
        spacings = [s for s in self.spacing_mm if s is not None]
        if not all(math.isfinite(s) and s > 0 for s in spacings):
            raise RegionError(f"Resampling needs spacings above 0 mm, got {self.spacing_mm}")
        if not 0 < self.mask_threshold <= 1:
            raise RegionError(f"The mask threshold must lie in (0, 1], got {self.mask_threshold}")
        if self.resegmentation_range is not None:
            low, high = self.resegmentation_range
            if low is not None and high is not None and low >= high:
                raise RegionError(f"Re-segmentation needs low < high, got {low}..{high}")
        if DiscretizationMethod.NONE in (
            self.discretization.method,
            self.filtered_discretization.method,
        ):
            raise RegionError("Texture needs discretized intensities: a bin size or bin number")
        if not 1 <= self.gray_level_limit <= MOST_GRAY_LEVELS:
            raise RegionError(
                f"The gray level limit must be 1 to {MOST_GRAY_LEVELS}, got {self.gray_level_limit}"
            )
        names = [f.name for f in self.filters]
        if len(set(names)) != len(names):
            raise RegionError(f"Every filter may be listed once, got {names}")

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON-able values, in a fixed order, to travel with the result."""
        return {
            "settings_version": SETTINGS_VERSION,
            "spacing_mm": list(self.spacing_mm),
            "interpolation": str(self.interpolation),
            "round_intensities": self.round_intensities,
            "mask_threshold": self.mask_threshold,
            "resegmentation_range": (
                None if self.resegmentation_range is None else list(self.resegmentation_range)
            ),
            "resegmentation_sigma": self.resegmentation_sigma,
            "discretization": _describe(self.discretization),
            "filtered_discretization": _describe(self.filtered_discretization),
            "volume_histogram": _describe(self.volume_histogram),
            "filtered_volume_histogram": _describe(self.filtered_volume_histogram),
            "aggregations": [str(a) for a in self.aggregations],
            "families": [str(f) for f in self.families],
            "filters": [f.as_dict() for f in self.filters],
            "intensity_unit": self.intensity_unit,
            "gray_level_limit": self.gray_level_limit,
            "autocorrelation_limit": self.autocorrelation_limit,
        }


def _describe(discretization: Discretization) -> dict[str, Any]:
    if discretization.method is DiscretizationMethod.NONE:
        return {"method": str(discretization.method)}
    return {"method": str(discretization.method), "value": discretization.value}
