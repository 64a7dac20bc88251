"""The lesions stage: from a segmentation to measured lesions and tumor burden."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.errors import NoLiverError
from engine.lesions.burden import tumor_burden
from engine.lesions.instances import bounding_box, label_lesions
from engine.lesions.measurement import (
    axial_diameters,
    capsule_distance_mm,
    centroid_mm,
    maximum_3d_diameter,
)
from engine.values.lesion import Lesion, LesionFindings
from engine.values.provenance import AnalysisContext
from engine.values.segmentation import Segmentation
from engine.values.volume import Volume


def find_lesions(
    volume: Volume, segmentation: Segmentation, context: AnalysisContext, *, minimum_ml: float
) -> LesionFindings:
    """Number and measure the lesions of a segmented volume.

    Args:
        volume: The volume that was segmented.
        segmentation: Liver and tumor labels on the volume's own grid.
        context: Gives each lesion its stable tracking UID.
        minimum_ml: Smallest lesion that is reported.

    Returns:
        Masks, lesions (largest first) and tumor burden.

    Raises:
        NoLiverError: The segmentation holds no liver voxel.
    """
    liver = segmentation.liver
    if not liver.any():
        raise NoLiverError(
            f"No liver voxel in series {volume.series.series_instance_uid}; "
            "check that the scan covers the liver"
        )
    labels = label_lesions(segmentation, minimum_ml=minimum_ml)
    numbers = range(1, int(labels.max()) + 1)
    return _findings(
        volume,
        (labels, liver),
        [context.derive_uid("lesion", str(number)) for number in numbers],
        segmentation.tumor_probability,
    )


def measure_drawn(
    volume: Volume,
    liver: NDArray[np.bool_],
    labels: NDArray[np.uint8],
    tracking_uids: Sequence[str],
) -> LesionFindings:
    """Measure lesions that a person drew or corrected, in the order they are numbered.

    Args:
        volume: The volume that was drawn on.
        liver: The organ; lesions count as part of it.
        labels: 0 or the lesion's number, 1..n without gaps, on the volume's grid.
        tracking_uids: Identity of lesion 1..n.

    Returns:
        As ``find_lesions``, but no lesion has a confidence and none is too small.

    Raises:
        NoLiverError: Neither the liver nor a lesion holds a voxel.
    """
    organ = liver | (labels > 0)
    if not organ.any():
        raise NoLiverError("The corrected segmentation holds no liver voxel; draw the liver")
    return _findings(volume, (labels, organ), tracking_uids, None)


def _findings(
    volume: Volume,
    masks: tuple[NDArray[np.uint8], NDArray[np.bool_]],
    tracking_uids: Sequence[str],
    probability: NDArray[np.uint8] | None,
) -> LesionFindings:
    labels, liver = masks
    lesions = tuple(
        _measure(number, masks, volume, uid, probability)
        for number, uid in enumerate(tracking_uids, start=1)
    )
    liver_ml = int(liver.sum()) * volume.geometry.spacing.voxel_ml
    return LesionFindings(
        liver=liver,
        lesion_labels=labels,
        geometry=volume.geometry,
        lesions=lesions,
        burden=tumor_burden(lesions, liver_volume_ml=liver_ml),
        liver_centroid_mm=centroid_mm(liver, volume.geometry),
    )


def _measure(
    number: int,
    masks: tuple[NDArray[np.uint8], NDArray[np.bool_]],
    volume: Volume,
    tracking_uid: str,
    probability: NDArray[np.uint8] | None,
) -> Lesion:
    """Measure one numbered lesion."""
    labels, liver = masks
    whole = labels == number
    box = bounding_box(whole)
    if box is None:
        raise ValueError(f"Lesion {number} has no voxel")
    mask = whole[box]
    corner = (box[0].start, box[1].start, box[2].start)
    geometry = volume.geometry
    long_axis, short_axis = axial_diameters(mask, corner, geometry)
    middle = centroid_mm(whole, geometry)
    slice_index = long_axis.slice_index
    if slice_index is None:
        slice_index = round(float(geometry.to_index(np.array(middle))[0]))
    return Lesion(
        number=number,
        tracking_id=f"Lesion {number}",
        tracking_uid=tracking_uid,
        volume_ml=int(mask.sum()) * geometry.spacing.voxel_ml,
        centroid_mm=middle,
        long_axis=long_axis,
        short_axis=short_axis,
        maximum_3d_diameter=maximum_3d_diameter(mask, corner, geometry),
        capsule_distance_mm=capsule_distance_mm(whole, liver, geometry),
        confidence=(None if probability is None else float(probability[box][mask].mean()) / 255.0),
        mean_hu=float(volume.voxels_hu[box][mask].mean(dtype=np.float64)),
        source=volume.slice_sources[slice_index][0],
    )
