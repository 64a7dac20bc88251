"""Radiomic features by the letter of IBSI 1 and 2, over one compiled core."""

from engine.radiomics.catalog import Aggregation, Family
from engine.radiomics.extraction import extract_features
from engine.radiomics.settings import (
    Discretization,
    DiscretizationMethod,
    Interpolation,
    RadiomicsSettings,
)

__all__ = [
    "Aggregation",
    "Discretization",
    "DiscretizationMethod",
    "Family",
    "Interpolation",
    "RadiomicsSettings",
    "extract_features",
]
