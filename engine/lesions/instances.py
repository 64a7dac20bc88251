"""Connected tumors inside the liver, largest first."""

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.values.segmentation import TUMOR_LABEL, Segmentation

MAXIMUM_LESIONS = 254


def label_lesions(segmentation: Segmentation, *, minimum_ml: float) -> NDArray[np.uint8]:
    """Number the connected tumor components (26 neighbors) by descending volume.

    Args:
        segmentation: Labels on the source grid.
        minimum_ml: Components below this volume are dropped as noise.

    Returns:
        0 or the lesion's number, uint8, same shape as the labels. Ties in volume are
        ordered by the first voxel in array order, so the numbering is deterministic.
        At most 254 lesions are numbered; smaller ones beyond that are left out.
    """
    tumor = segmentation.labels == TUMOR_LABEL
    result = np.zeros(tumor.shape, np.uint8)
    box = bounding_box(tumor)
    if box is None:
        return result
    image = sitk.GetImageFromArray(tumor[box].astype(np.uint8))
    components = sitk.GetArrayFromImage(sitk.ConnectedComponent(image, True))
    counts = np.bincount(components.ravel())
    counts[0] = 0
    needed = minimum_ml / segmentation.geometry.spacing.voxel_ml
    order = [c for c in np.argsort(-counts, kind="stable") if counts[c] and counts[c] >= needed]
    numbers = np.zeros(len(counts), np.uint8)
    for number, component in enumerate(order[:MAXIMUM_LESIONS], start=1):
        numbers[component] = number
    result[box] = numbers[components]
    return result


def bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, slice, slice] | None:
    """Smallest box that holds every True voxel; None for an empty mask."""
    spans: list[slice] = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        hit = np.flatnonzero(mask.any(axis=others))
        if not len(hit):
            return None
        spans.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return spans[0], spans[1], spans[2]
