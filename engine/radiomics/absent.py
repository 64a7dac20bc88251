"""The features a region would have had, each with the reason why it has none."""

import math
from dataclasses import replace

import numpy as np

from engine.radiomics.extraction import extract_features
from engine.radiomics.settings import RadiomicsSettings
from engine.values.features import FeatureSet
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ContrastPhase

SIDE = 9
"""Voxels along each side of the block that names are taken from."""


def absent_features(
    settings: RadiomicsSettings, *, region: str, phase: ContrastPhase, reason: str
) -> FeatureSet:
    """Give the names of all features with NaN and one reason.

    A table then has the same columns whatever could be measured. The names come from an
    extraction, so that they cannot drift from what ``extract_features`` gives.
    """
    mm = VoxelSpacing(slice_mm=1.0, row_mm=1.0, column_mm=1.0)
    grid = VolumeGeometry(
        shape=(SIDE, SIDE, SIDE),
        spacing=mm,
        origin_mm=(0.0, 0.0, 0.0),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )
    voxels = np.arange(SIDE**3, dtype=np.float64).reshape(grid.shape) % 50
    mask = np.zeros(grid.shape, bool)
    mask[3:6, 3:6, 3:6] = True
    alike = extract_features(voxels, mask, grid, settings, region=region, phase=phase)
    return replace(
        alike, features=tuple(replace(f, value=math.nan, reason=reason) for f in alike.features)
    )
