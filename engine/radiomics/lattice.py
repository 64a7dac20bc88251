"""A region on its padded voxel lattice, prepared once and then filled with gray levels."""

import ctypes
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.radiomics.native import Mask, load_core, pointer, shape_of


class LevelVolume(ctypes.Structure):
    """``LevelVolume`` of texture.c."""

    _fields_ = (
        ("levels", ctypes.c_void_p),
        ("segment_start", ctypes.c_void_p),
        ("segment_length", ctypes.c_void_p),
        ("segment_count", ctypes.c_int64),
        ("slice_stride", ctypes.c_int64),
        ("row_stride", ctypes.c_int64),
        ("longest_segment", ctypes.c_int32),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Where the voxels of an intensity mask lie in a volume padded by one voxel.

    Attributes:
        shape: Shape of the padded volume.
        voxels: Padded flat index of every mask voxel, ascending.
        segment_start, segment_length: Runs of consecutive mask voxels in a row.
        border_distance: City-block distance to the border of the morphological mask, padded
            volume, 0 outside; in the plane only when ``in_plane``.
        in_plane: The lattice is one slice and has 4 directions instead of 13.
    """

    shape: tuple[int, int, int]
    voxels: NDArray[np.int32] = field(repr=False)
    segment_start: NDArray[np.int32] = field(repr=False)
    segment_length: NDArray[np.int32] = field(repr=False)
    border_distance: NDArray[np.uint16] = field(repr=False)
    in_plane: bool

    @property
    def directions(self) -> int:
        """Number of unique directions."""
        return 4 if self.in_plane else 13


def build_lattice(intensity: Mask, morphological: Mask, *, in_plane: bool) -> Lattice:
    """Prepare a mask for texture.

    Args:
        intensity: Voxels that have gray levels, shape (slice, row, column).
        morphological: Region whose border distances are measured from, same shape.
        in_plane: Measure in the slice only; the mask must then be one slice.
    """
    padded = np.pad(intensity, 1)
    voxels = np.flatnonzero(padded).astype(np.int32)
    breaks = np.flatnonzero(np.diff(voxels, prepend=-2) != 1)
    border = np.ascontiguousarray(np.pad(morphological | intensity, 1)).view(np.uint8)
    distance = np.empty(padded.shape, np.uint16)
    load_core().measure_border_distance(
        pointer(border), shape_of(border), int(in_plane), pointer(distance)
    )
    slices, rows, columns = padded.shape
    return Lattice(
        shape=(slices, rows, columns),
        voxels=voxels,
        segment_start=voxels[breaks],
        segment_length=np.diff(np.append(breaks, len(voxels))).astype(np.int32),
        border_distance=distance,
        in_plane=in_plane,
    )


def fill(lattice: Lattice, levels: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Put gray levels, shape (n_voxels,), into a padded volume of background."""
    volume = np.zeros(lattice.shape, np.uint16)
    volume.reshape(-1)[lattice.voxels] = levels
    return volume


def as_structure(lattice: Lattice, volume: NDArray[np.uint16]) -> LevelVolume:
    """The lattice and its gray levels as the core takes them; both must outlive the call."""
    return LevelVolume(
        levels=pointer(volume),
        segment_start=pointer(lattice.segment_start),
        segment_length=pointer(lattice.segment_length),
        segment_count=len(lattice.segment_start),
        slice_stride=lattice.shape[1] * lattice.shape[2],
        row_stride=lattice.shape[2],
        longest_segment=int(lattice.segment_length.max()),
    )
