"""The segmentation stage: find the liver coarsely, segment it finely, return to the grid."""

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelPackageError, NoLiverError
from engine.segmentation.activation import ORGAN, probabilities
from engine.segmentation.postprocessing import (
    compose_labels,
    drop_small_lesions,
    fill_holes,
    largest_component,
)
from engine.segmentation.preparation import floor_value, prepare
from engine.segmentation.region import (
    Region,
    bounding_region,
    crop_geometry,
    transfer_region,
    whole,
)
from engine.segmentation.restoration import ORGAN_THRESHOLD, restore
from engine.segmentation.sliding_window import Network, Progress, predict_logits
from engine.spatial.orientation import from_standard_axes, to_standard_axes
from engine.values.geometry import VolumeGeometry
from engine.values.model import NetworkSpec, SegmentationPackage
from engine.values.segmentation import Segmentation
from engine.values.volume import Volume

MINIMUM_LIVER_ML = 100.0
"""Below this the volume shows no liver worth measuring: a fifteenth of an adult's."""

LOCALIZED, SEGMENTED = 0.1, 0.9
"""Where the progress bar stands after each network; the rest is the way back."""

log = logging.getLogger(__name__)


def segment(
    volume: Volume,
    package: SegmentationPackage,
    sessions: Mapping[str, Network],
    progress: Progress | None = None,
) -> Segmentation:
    """Segment liver and tumors on the volume's own grid, whatever its orientation.

    Args:
        volume: CT in any orientation.
        package: The verified package the sessions were opened from.
        sessions: Opened network by role ("localizer" if the package has one, "segmenter").
        progress: Called with the finished fraction, 0..1; may raise to cancel.

    Returns:
        The largest connected liver with its holes filled, and inside it the tumors of at
        least ``package.minimum_lesion_ml``.

    Raises:
        NoLiverError: Less than ``MINIMUM_LIVER_ML`` of liver was seen.
        ModelPackageError: A network of the package was not opened.
    """
    report = progress or (lambda _fraction: None)
    specs = {spec.role: spec for spec in package.networks}
    if "segmenter" not in specs or specs.keys() - sessions.keys():
        raise ModelPackageError(
            f"{package.identity.name}: networks {sorted(specs)} needed, "
            f"opened: {sorted(sessions)}; open them with open_networks"
        )
    voxels, grid = to_standard_axes(volume.voxels_hu, volume.geometry)
    region = whole(grid)
    if "localizer" in specs:
        region = locate_liver(
            voxels, grid, specs["localizer"], sessions["localizer"], _part(report, 0.0, LOCALIZED)
        )
    labels, tumor = _segment_region(
        voxels[region.index],
        crop_geometry(grid, region),
        package,
        sessions["segmenter"],
        _part(report, LOCALIZED, SEGMENTED),
    )
    result = Segmentation(
        labels=_place(labels, region, volume.geometry, grid),
        tumor_probability=_place(tumor, region, volume.geometry, grid),
        geometry=volume.geometry,
    )
    report(1.0)
    return result


def locate_liver(
    voxels_hu: NDArray[np.int16],
    grid: VolumeGeometry,
    spec: NetworkSpec,
    network: Network,
    progress: Progress,
) -> Region:
    """Find the box around the liver, with the localizer's margin.

    Args:
        voxels_hu: Whole volume on the standard axes.
        grid: Its grid.
        spec: The localizer.
        network: The opened localizer.
        progress: Called with the finished fraction, 0..1.

    Raises:
        NoLiverError: The largest component is below ``MINIMUM_LIVER_ML``.
    """
    image, coarse = prepare(voxels_hu, grid, spec)
    logits = predict_logits(network, image, spec, floor=floor_value(spec), progress=progress)
    liver = largest_component(probabilities(logits, spec)[ORGAN] > ORGAN_THRESHOLD)
    box = _require_liver(liver, coarse, "localizer")
    region = transfer_region(box, coarse, grid, margin_mm=spec.margin_mm)
    log.info("Liver in voxels %s to %s of %s", region.start, region.stop, grid.shape)
    return region


def _segment_region(
    voxels_hu: NDArray[np.int16],
    grid: VolumeGeometry,
    package: SegmentationPackage,
    network: Network,
    progress: Progress,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Labels and tumor probability × 255 on the crop's grid."""
    spec = next(spec for spec in package.networks if spec.role == "segmenter")
    image, fine = prepare(voxels_hu, grid, spec)
    logits = predict_logits(network, image, spec, floor=floor_value(spec), progress=progress)
    organ, tumor = restore(probabilities(logits, spec), fine, grid)
    organ = fill_holes(largest_component(organ))
    _require_liver(organ, grid, "segmenter")
    suspect = organ & (tumor >= package.tumor_threshold * 255.0)
    lesions = drop_small_lesions(
        suspect, voxel_ml=grid.spacing.voxel_ml, minimum_ml=package.minimum_lesion_ml
    )
    return compose_labels(organ, lesions), tumor


def _require_liver(liver: NDArray[np.bool_], grid: VolumeGeometry, role: str) -> Region:
    """Give the box of the liver; an error when there is too little of it."""
    box = bounding_region(liver)
    volume_ml = int(np.count_nonzero(liver)) * grid.spacing.voxel_ml
    if box is None or volume_ml < MINIMUM_LIVER_ML:
        raise NoLiverError(
            f"The {role} sees {volume_ml:.0f} mL of liver, at least {MINIMUM_LIVER_ML:.0f} mL "
            "needed; check that the series is a CT of the abdomen and covers the liver"
        )
    return box


def _place(
    crop: NDArray[np.uint8], region: Region, source: VolumeGeometry, standard: VolumeGeometry
) -> NDArray[np.uint8]:
    """Put a crop back into the whole grid and turn it to the source's axes."""
    full = np.zeros(standard.shape, np.uint8)
    full[region.index] = crop
    return np.ascontiguousarray(from_standard_axes(full, source))


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda fraction: progress(start + (end - start) * fraction)
