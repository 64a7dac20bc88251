"""An image and regions that somebody else drew: NIfTI, NRRD, or a study with its DICOM SEG."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.correction.labelmap_reading import read_labelmap
from engine.correction.seg_reading import is_dicom, read_seg
from engine.errors import RegionError, UnreadableStudyError
from engine.series.input import scan_study
from engine.series.readable import read_reference
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ContrastPhase
from engine.values.model import CodedSegment, InputCriteria
from engine.values.progress import silent

IMAGE_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
SAME_PLACE_MM = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRegions:
    """An image with named regions on its grid.

    Attributes:
        voxels: Intensities, shape ``geometry.shape``.
        geometry: The grid.
        phase: Contrast phase, UNKNOWN for a plain image.
        regions: Mask by name, in the order of the mask file.
    """

    voxels: NDArray[np.generic] = field(repr=False)
    geometry: VolumeGeometry
    phase: ContrastPhase
    regions: Mapping[str, NDArray[np.bool_]] = field(repr=False)


def is_image(path: Path) -> bool:
    """Whether a path names a plain image file, not a DICOM study."""
    return path.is_file() and path.name.lower().endswith(IMAGE_ENDINGS)


def read_given(
    image: Path, mask: Path, segments: tuple[CodedSegment, ...], *, split: int | None = None
) -> GivenRegions:
    """Read an image and its regions.

    Args:
        image: NIfTI, NRRD or MetaImage; or a DICOM study (folder, zip, DICOMDIR).
        mask: For a plain image a label map on the same grid: every value above 0 is a region.
            For a study a DICOM SEG or label map of liver and lesions on its reference series.
        segments: Codes that say which segments of a SEG are liver and lesion.
        split: Value of a label map whose connected parts are lesions of their own, largest
            first; None takes every value as one region.

    Raises:
        UnreadableStudyError: A file cannot be read as an image.
        RegionError: The mask is shifted against the image, has another shape, or is empty.
        InvalidGeometryError: The image's axes are sheared.
    """
    if is_image(image):
        return _of_images(image, mask, split)
    return _of_study(image, mask, segments)


def _of_images(image: Path, mask: Path, split: int | None) -> GivenRegions:
    voxels, geometry = _read(image)
    labels, grid = _read(mask)
    if labels.shape != voxels.shape or not geometry.is_close(grid, tolerance_mm=SAME_PLACE_MM):
        raise RegionError(
            f"{mask.name} lies on another grid than {image.name}: shape {grid.shape}, origin "
            f"{grid.origin_mm} against {geometry.shape}, {geometry.origin_mm}; resample it first"
        )
    if not np.array_equal(labels, np.rint(labels)):
        raise RegionError(f"{mask.name} holds fractions or NaN; a label map holds whole numbers")
    values = [int(v) for v in np.unique(labels) if v > 0]
    if not values:
        raise RegionError(f"{mask.name} is empty: no voxel is above 0")
    return GivenRegions(
        voxels=voxels,
        geometry=geometry,
        phase=ContrastPhase.UNKNOWN,
        regions=_by_value(labels, values, split),
    )


def _by_value(
    labels: NDArray[np.generic], values: list[int], split: int | None
) -> dict[str, NDArray[np.bool_]]:
    """A mask per value; the value to split gives one per connected part."""
    if split is not None and split not in values:
        raise RegionError(f"The mask has no voxel of value {split}; it holds {values}")
    regions: dict[str, NDArray[np.bool_]] = {}
    for value in values:
        mask = labels == value
        if value != split:
            regions[f"label {value}"] = mask
            continue
        parts = sitk.RelabelComponent(
            sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8)), True),
            sortByObjectSize=True,
        )
        numbered = sitk.GetArrayFromImage(parts)
        for number in range(1, int(numbered.max()) + 1):
            regions[f"lesion {number}"] = numbered == number
    return regions


def _of_study(study: Path, mask: Path, segments: tuple[CodedSegment, ...]) -> GivenRegions:
    _, volume = read_reference(scan_study(study), InputCriteria(), silent)
    read = read_seg if is_dicom(mask) else read_labelmap
    drawn = read(mask, volume, segments)
    regions = {}
    for number, lesion in enumerate(drawn.lesions, start=1):
        whole = np.zeros(volume.geometry.shape, bool)
        whole[lesion.box] = lesion.mask
        regions[f"lesion {number}"] = whole
    return GivenRegions(
        voxels=volume.voxels_hu,
        geometry=volume.geometry,
        phase=volume.series.phase,
        regions=regions | {"liver": drawn.liver},
    )


def _read(path: Path) -> tuple[NDArray[np.generic], VolumeGeometry]:
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise UnreadableStudyError(f"{path.name} is no readable image: {lines[-1]}") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise UnreadableStudyError(f"{path.name} must have 3 axes and one number per voxel")
    voxels = sitk.GetArrayFromImage(image)
    x_mm, y_mm, z_mm = image.GetSpacing()
    axes = np.array(image.GetDirection()).reshape(3, 3).T
    column, row, plane = ((float(a), float(b), float(c)) for a, b, c in axes)
    x, y, z = image.GetOrigin()
    return voxels, VolumeGeometry(
        shape=(voxels.shape[0], voxels.shape[1], voxels.shape[2]),
        spacing=VoxelSpacing(slice_mm=z_mm, row_mm=y_mm, column_mm=x_mm),
        origin_mm=(x, y, z),
        slice_direction=plane,
        row_direction=row,
        column_direction=column,
    )
