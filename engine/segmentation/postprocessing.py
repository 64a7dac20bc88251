"""What is known of livers and lesions, applied to the masks."""

import math

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.segmentation.region import bounding_region
from engine.values.segmentation import LIVER_LABEL, TUMOR_LABEL


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest component (6 neighbors: a leak of one edge or corner parts).

    Components of one size: the first in scan order is kept. Nothing stays nothing.
    """
    region = bounding_region(mask)
    kept = np.zeros_like(mask)
    if region is None:
        return kept
    labels = _components(mask[region.index], fully_connected=False)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept[region.index] = labels == int(sizes.argmax())
    return kept


def fill_holes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill the background that the mask encloses in 3D (vessels and cysts inside)."""
    region = bounding_region(mask)
    if region is None:
        return mask.copy()
    image = sitk.GetImageFromArray(mask[region.index].astype(np.uint8))
    filled = mask.copy()
    filled[region.index] = sitk.GetArrayFromImage(sitk.BinaryFillhole(image, True)) > 0
    return filled


def drop_small_lesions(
    tumor: NDArray[np.bool_], *, voxel_ml: float, minimum_ml: float
) -> NDArray[np.bool_]:
    """Drop the tumor components (26 neighbors, as lesions are counted) below a volume."""
    region = bounding_region(tumor)
    kept = np.zeros_like(tumor)
    if region is None:
        return kept
    labels = _components(tumor[region.index], fully_connected=True)
    least = math.ceil(minimum_ml / voxel_ml - 1e-9)
    large = np.bincount(labels.ravel()) >= least
    large[0] = False
    kept[region.index] = large[labels]
    return kept


def compose_labels(organ: NDArray[np.bool_], tumor: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Write organ and tumor into one label array; tumor outside the organ is dropped."""
    labels = organ.astype(np.uint8) * np.uint8(LIVER_LABEL)
    labels[organ & tumor] = TUMOR_LABEL
    return labels


def _components(mask: NDArray[np.bool_], *, fully_connected: bool) -> NDArray[np.uint32]:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    labels: NDArray[np.uint32] = sitk.GetArrayFromImage(
        sitk.ConnectedComponent(image, fully_connected)
    )
    return labels
