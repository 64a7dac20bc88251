"""Regions around a lesion."""

import numpy as np
import SimpleITK as sitk

from engine.errors import RegionError
from engine.radiomics.native import Mask, find_box
from engine.values.geometry import VolumeGeometry


def peritumoral_ring(
    lesion: Mask, allowed: Mask, geometry: VolumeGeometry, *, width_mm: float
) -> Mask:
    """Voxels within a distance of a lesion, outside of it.

    Args:
        lesion: The lesion, shape ``geometry.shape``, at least one voxel.
        allowed: Where the ring may lie: the liver without its other lesions.
        geometry: Grid of both masks.
        width_mm: Largest Euclidean distance between voxel centers, above 0.

    Returns:
        The ring on the same grid; empty when the lesion fills all that is allowed.

    Raises:
        RegionError: The lesion is empty or the width is not above 0.
    """
    box = find_box(lesion)
    if box is None:
        raise RegionError("A ring needs a lesion: no voxel of the mask is set")
    if not width_mm > 0:
        raise RegionError(f"A ring must be wider than 0 mm, got {width_mm}")
    spacing = geometry.spacing.as_tuple()
    crop = tuple(
        slice(max(0, first - reach), last + reach + 1)
        for (first, last), reach in zip(
            box, (int(np.ceil(width_mm / mm)) for mm in spacing), strict=True
        )
    )
    inside = sitk.GetImageFromArray(np.ascontiguousarray(lesion[crop]).view(np.uint8))
    inside.SetSpacing(spacing[::-1])
    distance = sitk.SignedMaurerDistanceMap(
        inside, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    near = sitk.GetArrayViewFromImage(distance) <= width_mm
    ring = np.zeros(lesion.shape, bool)
    ring[crop] = near & ~lesion[crop] & allowed[crop]
    return ring
