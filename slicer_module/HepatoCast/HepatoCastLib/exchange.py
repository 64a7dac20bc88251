"""MRML nodes to values and back: the only place where RAS and LPS meet.

Slicer positions are RAS, DICOM and the engine speak LPS; Slicer indices run (i, j, k), our
arrays [slice, row, column] = [k, j, i]. No other module of the panel converts either.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from HepatoCastLib.errors import ExchangeError
from HepatoCastLib.grid import Grid
from HepatoCastLib.segments import Segment

FLIP_XY = np.diag([-1.0, -1.0, 1.0, 1.0])
REVERSE_AXES = np.eye(4)[[2, 1, 0, 3]]
SLAB_BYTES = 4 * 2**20
BINARY_LABELMAP = "Binary labelmap"


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
