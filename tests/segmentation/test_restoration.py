"""Probabilities return to the scanner's grid and are decided there."""

import numpy as np

from engine.segmentation.restoration import restore
from engine.spatial.resampling import resampled_geometry
from engine.values.geometry import VoxelSpacing
from tests.phantoms.boxes import standard_geometry


def test_on_the_same_grid_the_decision_is_the_threshold() -> None:
    grid = standard_geometry((1, 1, 4), (1.0, 1.0, 1.0))
    probability = np.array([[[[0.49, 0.51, 1.0, 0.0]]], [[[0.0, 0.2, 1.0, 0.6]]]], np.float32)
    organ, tumor = restore(probability, grid, grid)
    assert organ.ravel().tolist() == [False, True, True, False]
    assert tumor.ravel().tolist() == [0, 51, 255, 153]


def test_a_surface_lies_between_the_networks_voxels() -> None:
    """Probability 1 left of 8 mm and 0 right of it, seen every 2 mm, decided every 0.5 mm."""
    source = standard_geometry((1, 1, 32), (1.0, 1.0, 0.5))
    coarse = resampled_geometry(source, VoxelSpacing(slice_mm=1.0, row_mm=1.0, column_mm=2.0))
    probability = np.zeros((2, *coarse.shape), np.float32)
    probability[:, :, :, :4] = 1.0
    organ, _ = restore(probability, coarse, source)
    assert organ.ravel().tolist() == [True] * 16 + [False] * 16
