"""A region without features keeps their names."""

import math

import numpy as np

from engine.radiomics import RadiomicsSettings, extract_features
from engine.radiomics.absent import absent_features
from engine.radiomics.tables import column_name
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ContrastPhase


def test_names_and_settings_are_those_of_an_extraction() -> None:
    """Columns of a table do not depend on what could be measured."""
    settings = RadiomicsSettings()
    grid = VolumeGeometry(
        shape=(12, 12, 12),
        spacing=VoxelSpacing(slice_mm=2.0, row_mm=1.0, column_mm=1.0),
        origin_mm=(0.0, 0.0, 0.0),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )
    mask = np.zeros(grid.shape, bool)
    mask[4:8, 4:8, 4:8] = True
    voxels = np.random.default_rng(1).normal(60, 20, grid.shape)
    phase = ContrastPhase.DELAYED
    real = extract_features(voxels, mask, grid, settings, region="lesion 1", phase=phase)
    absent = absent_features(settings, region="lesion 1", phase=phase, reason="why")
    assert [column_name(f) for f in absent.features] == [column_name(f) for f in real.features]
    assert absent.settings == real.settings
    assert all(math.isnan(f.value) and f.reason == "why" for f in absent.features)
