"""MRML nodes to values and back: the only place where RAS and LPS meet.

Slicer positions are RAS, DICOM and the engine speak LPS; Slicer indices run (i, j, k), our
arrays [slice, row, column] = [k, j, i]. No other module of the panel converts either.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from HepatoCastLib.errors import ExchangeError
from HepatoCastLib.grid import Grid
from HepatoCastLib.segments import LESION_PREFIX, LIVER_IDENTIFIER, Segment

FLIP_XY = np.diag([-1.0, -1.0, 1.0, 1.0])
REVERSE_AXES = np.eye(4)[[2, 1, 0, 3]]
SLAB_BYTES = 4 * 2**20
BINARY_LABELMAP = "Binary labelmap"
SAME_VOXELS = 0.01
# Morphologically abnormal structure, neoplasm; tissue, which the Segment Editor starts with.
LESION_CODES = ("^49755003^", "^108369006^", "^85756007^")


def grid_of(volume: Any) -> Grid:
    """The grid of a volume node.

    Raises:
        ExchangeError: The volume is empty, or hangs below a transform.
    """
    image = volume.GetImageData()
    if image is None:
        raise ExchangeError(f"Volume {volume.GetID()} holds no voxels; load it again")
    if volume.GetParentTransformNode() is not None:
        raise ExchangeError(
            f"Volume {volume.GetID()} hangs below a transform; harden it in the Data module"
        )
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    ijk_to_ras = slicer.util.arrayFromVTKMatrix(matrix)
    i, j, k = image.GetDimensions()
    return Grid(shape=(k, j, i), affine=FLIP_XY @ ijk_to_ras @ REVERSE_AXES)


def to_ras(positions_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """LPS positions, shape (..., 3), as Slicer wants them."""
    return np.asarray(positions_mm, np.float64) * FLIP_XY.diagonal()[:3]


def voxels_of(volume: Any) -> NDArray[Any]:
    """The voxels of a volume node, shape ``grid_of(volume).shape``; shares memory with it."""
    return slicer.util.arrayFromVolume(volume)


def save_voxels(volume: Any, path: Path) -> Iterator[None]:
    """Write a volume's voxels as .npy (int16 HU) in slabs, one per step.

    Raises:
        ExchangeError: Values are not Hounsfield units that fit int16.
    """
    voxels = voxels_of(volume)
    if voxels.ndim != 3:
        raise ExchangeError(f"Volume {volume.GetID()} has {voxels.ndim} axes; a CT has 3")
    target = np.lib.format.open_memmap(path, mode="w+", dtype=np.int16, shape=voxels.shape)
    limits = np.iinfo(np.int16)
    depth = max(1, SLAB_BYTES // max(1, voxels[0].nbytes))
    for start in range(0, len(voxels), depth):
        slab = voxels[start : start + depth]
        if slab.min() < limits.min or slab.max() > limits.max:
            raise ExchangeError(f"Volume {volume.GetID()} holds values outside of int16 HU")
        target[start : start + depth] = np.rint(slab) if slab.dtype.kind == "f" else slab
        yield


def put_segment(
    segmentation: Any,
    segment: Segment,
    mask: NDArray[np.uint8],
    corner: tuple[int, int, int],
    grid: Grid,
) -> None:
    """Create or replace one segment; its layer is its own, so segments may overlap.

    Args:
        segmentation: Segmentation node.
        segment: Identity, name, color and terminology.
        mask: 0 or 1, the segment's bounding box only.
        corner: Index [slice, row, column] of the box's first voxel on the grid.
        grid: The grid the index counts on.
    """
    held = segmentation.GetSegmentation()
    if held.GetSegment(segment.identifier) is None:
        held.AddEmptySegment(segment.identifier, segment.name, segment.color)
    node = held.GetSegment(segment.identifier)
    node.SetName(segment.name)
    node.SetColor(*segment.color)
    node.SetTag("TerminologyEntry", segment.terminology())
    node.SetTag("TrackingUID", segment.tracking_uid)
    node.SetTag("TrackingID", segment.tracking_id)
    node.SetLabelValue(1)
    node.AddRepresentation(BINARY_LABELMAP, oriented_image(mask, corner, grid))
    node.Modified()


def oriented_image(mask: NDArray[np.uint8], corner: tuple[int, int, int], grid: Grid) -> Any:
    """A mask box as vtkOrientedImageData whose extent counts on the whole grid."""
    k, j, i = corner
    depth, height, width = mask.shape
    image = slicer.vtkOrientedImageData()
    image.SetExtent(i, i + width - 1, j, j + height - 1, k, k + depth - 1)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    scalars = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    scalars.reshape(mask.shape)[:] = mask
    matrix = slicer.util.vtkMatrixFromArray(FLIP_XY @ grid.affine @ REVERSE_AXES)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    return image


def save_segment(
    segmentation: Any, identifier: str, grid: Grid, path: Path
) -> Generator[None, None, tuple[int, int, int] | None]:
    """Write a segment as the user left it (.npy, bool), in slabs, one per step.

    Args:
        segmentation: Segmentation node.
        identifier: Segment ID.
        grid: The volume the segment was drawn on.
        path: Where to.

    Returns:
        Index [slice, row, column] of the first written voxel; None for an empty segment.

    Raises:
        ExchangeError: The segment does not lie on the volume's voxels.
    """
    segment = segmentation.GetSegmentation().GetSegment(identifier)
    image = segment.GetRepresentation(BINARY_LABELMAP)
    if image is None:
        raise ExchangeError(f"Segment {identifier} holds no voxels of its own; edit it again")
    first_i, last_i, first_j, last_j, first_k, last_k = image.GetExtent()
    shape = (last_k - first_k + 1, last_j - first_j + 1, last_i - first_i + 1)
    if min(shape) < 1:
        return None
    corner = _corner_on(grid, image, (first_k, first_j, first_i), identifier)
    if min(corner) < 0 or any(c + n > m for c, n, m in zip(corner, shape, grid.shape, strict=True)):
        raise ExchangeError(f"Segment {identifier} reaches beyond the volume; crop it")
    values = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)
    label = segment.GetLabelValue()
    target = np.lib.format.open_memmap(path, mode="w+", dtype=np.bool_, shape=shape)
    depth = max(1, SLAB_BYTES // max(1, values[0].nbytes))
    found = False
    for start in range(0, shape[0], depth):
        hit = values[start : start + depth] == label
        target[start : start + depth] = hit
        found = found or bool(hit.any())
        yield
    return corner if found else None


def _corner_on(
    grid: Grid, image: Any, first: tuple[int, int, int], identifier: str
) -> tuple[int, int, int]:
    """Where a segment's first voxel lies on the grid, whose voxels must be the segment's."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    affine = FLIP_XY @ slicer.util.arrayFromVTKMatrix(matrix) @ REVERSE_AXES
    to_grid = np.linalg.inv(grid.affine) @ affine
    corner = to_grid @ np.array([*first, 1.0])
    whole = np.rint(corner[:3])
    turned = np.abs(to_grid[:3, :3] - np.eye(3)).max() * max(grid.shape)
    if turned > SAME_VOXELS or np.abs(corner[:3] - whole).max() > SAME_VOXELS:
        raise ExchangeError(
            f"Segment {identifier} was drawn on another grid than the CT; choose the CT below "
            "'Specify geometry' in the Segment Editor"
        )
    k, j, i = (int(v) for v in whole)
    return k, j, i


def tag_of(segment: Any, name: str) -> str:
    """A segment's tag; empty when it has none."""
    text = vtk.reference("")
    return str(text) if segment.GetTag(name, text) else ""


def is_measured(segment: Any, identifier: str) -> bool:
    """Whether a segment is the liver, a lesion, or one that the user added for a lesion.

    A new segment of the Segment Editor is "Tissue" until somebody says what it is.
    """
    if identifier == LIVER_IDENTIFIER or identifier.startswith(LESION_PREFIX):
        return True
    codes = tag_of(segment, "TerminologyEntry").split("~")[1:3]
    return not codes or any(code in part for part in codes for code in LESION_CODES)


def segment_mask(segmentation: Any, identifier: str, volume: Any) -> NDArray[np.bool_]:
    """A segment as the user left it, on the volume's grid.

    Raises:
        ExchangeError: The segmentation has no such segment.
    """
    if segmentation.GetSegmentation().GetSegment(identifier) is None:
        raise ExchangeError(f"Segment {identifier} is gone from {segmentation.GetID()}")
    array = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, identifier, volume)
    return np.asarray(array) > 0


def instance_uids(volume: Any) -> tuple[str, ...]:
    """SOP Instance UIDs a DICOM-loaded volume was read from; empty for a plain volume."""
    return tuple((volume.GetAttribute("DICOM.instanceUIDs") or "").split())
