"""One number per channel from feature maps."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from engine.errors import RegionError


class Pooling(StrEnum):
    """How feature maps become one number per channel."""

    MASK_MEAN = "mask mean"
    MASK_MAX = "mask max"
    GLOBAL_MEAN = "global mean"


def pool(maps: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pool feature maps over a region and over the patches.

    Args:
        maps: (batch, channel, ...) with as many spatial axes as ``share``, or none.
        share: Part of each input voxel inside the region, (batch, ...).

    Returns:
        One row per ``Pooling``, in its order; one column per channel. The mean is weighted by
        the region's share of each position, the maximum is over positions with any share.
        Without spatial axes each patch counts with the region's share of it.

    Raises:
        RegionError: The region covers nothing of the patches.
    """
    if maps.ndim == 2:
        maps = maps.reshape(*maps.shape, *(1,) * (share.ndim - 1))
    weights = share.astype(np.float64)
    for axis, size in enumerate(maps.shape[2:], start=1):
        weights = np.moveaxis(
            np.tensordot(_averaging(weights.shape[axis], size), weights, (1, axis)), 0, axis
        )
    values = np.moveaxis(maps, 1, 0).reshape(maps.shape[1], -1).astype(np.float64)
    flat = weights.reshape(-1)
    if not flat.any():
        raise RegionError("The region covers nothing of the encoder's patch")
    return np.stack(
        [values @ flat / flat.sum(), values[:, flat > 0].max(axis=1), values.mean(axis=1)]
    )


def _averaging(old: int, new: int) -> NDArray[np.float64]:
    """Matrix that averages ``old`` cells into ``new`` ones of equal size, shape (new, old)."""
    edges = np.linspace(0, old, new + 1)
    cells = np.arange(old)
    low = np.maximum(edges[:-1, None], cells)
    high = np.minimum(edges[1:, None], cells + 1)
    return np.asarray(np.maximum(high - low, 0) * (new / old), np.float64)
