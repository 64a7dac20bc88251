"""From a network's grid back to the scanner's."""

import numpy as np
from numpy.typing import NDArray

from engine.segmentation.activation import ORGAN, TUMOR
from engine.spatial.resampling import resample_slabs
from engine.values.geometry import VolumeGeometry

ORGAN_THRESHOLD = 0.5


def restore(
    probability: NDArray[np.float32],
    network_grid: VolumeGeometry,
    source_grid: VolumeGeometry,
) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Interpolate the probabilities onto the source grid and decide there, slab by slab.

    Deciding after interpolation keeps the mask's surface between the network's voxels;
    the probability is sampled at the source's voxel centers, never smoothed.

    Args:
        probability: Organ and tumor, shape (2, slice, row, column), on ``network_grid``.
        network_grid: The grid the network saw.
        source_grid: The crop of the scanner's grid, parallel to ``network_grid``.

    Returns:
        Organ mask (probability above 0.5) and tumor probability × 255, both on
        ``source_grid``.
    """
    organ = np.zeros(source_grid.shape, np.bool_)
    tumor = np.zeros(source_grid.shape, np.uint8)
    for where, slab in resample_slabs(probability, network_grid, source_grid, antialias=False):
        organ[where] = slab[ORGAN] > ORGAN_THRESHOLD
        tumor[where] = np.rint(np.clip(slab[TUMOR], 0.0, 1.0) * 255.0).astype(np.uint8)
    return organ, tumor
