"""A region on its padded voxel lattice, prepared once and then filled with gray levels."""

import ctypes
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.radiomics.native import (
    Mask,
    Real,
    address,
    length,
    load_core,
    pointer,
    require_memory,
    shape_of,
    size_triple,
)

SLACK = 16
"""Levels behind the padded volume that the core may read: it works in blocks of 16 voxels."""
SUBSETS = 1 << 13
"""Subsets of the 13 neighbors that are visited before a voxel."""

Levels = NDArray[np.uint16]


class LevelVolume(ctypes.Structure):
    """``LevelVolume`` of texture.c."""

    _fields_ = (
        ("levels", ctypes.c_void_p),
        ("segment_start", ctypes.c_void_p),
        ("segment_length", ctypes.c_void_p),
        ("neighbors", ctypes.c_void_p),
        ("distance", ctypes.c_void_p),
        ("segment_count", ctypes.c_int64),
        ("slice_stride", ctypes.c_int64),
        ("row_stride", ctypes.c_int64),
        ("longest_segment", ctypes.c_int32),
        ("directions", ctypes.c_int32),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Runs of consecutive mask voxels in the rows of a volume padded by one voxel.

    Attributes:
        shape: Shape of the padded volume.
        start: Padded flat index of each run's first voxel, ascending.
        length: Voxels of each run.
        voxels: Voxels of the mask.
    """

    shape: tuple[int, int, int]
    start: NDArray[np.int32] = field(repr=False)
    length: NDArray[np.int32] = field(repr=False)
    voxels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """Arrays that every count on a lattice writes anew, kept to spare the system's page faults.

    Attributes:
        levels: Gray levels of the padded volume and its slack; background stays 0.
        labels: Provisional zone labels of the padded volume.
        parents, zone_level, zone_size, zone_distance: By zone label, room for all voxels.
    """

    levels: Levels = field(repr=False)
    labels: NDArray[np.int32] = field(repr=False)
    parents: NDArray[np.int32] = field(repr=False)
    zone_level: NDArray[np.uint16] = field(repr=False)
    zone_size: NDArray[np.uint32] = field(repr=False)
    zone_distance: NDArray[np.uint16] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Where the voxels of an intensity mask lie, and what does not depend on the image.

    Attributes:
        segments: The voxels.
        neighbors: Neighbors of each voxel inside the mask.
        border_distance: City-block distance to the border of the morphological mask, padded
            volume, 0 outside; in the plane only when ``in_plane``.
        in_plane: The lattice is one slice and has 4 directions instead of 13.
        scratch: Working memory of the counts.
    """

    segments: Segments
    neighbors: NDArray[np.uint8] = field(repr=False)
    border_distance: NDArray[np.uint16] = field(repr=False)
    in_plane: bool
    scratch: Scratch = field(repr=False)

    @property
    def directions(self) -> int:
        """Number of unique directions."""
        return 4 if self.in_plane else 13

    def as_structure(self) -> LevelVolume:
        """The lattice as the core takes it; it must outlive the call."""
        _, rows, columns = self.segments.shape
        return LevelVolume(
            levels=address(self.scratch.levels),
            segment_start=address(self.segments.start),
            segment_length=address(self.segments.length),
            neighbors=address(self.neighbors),
            distance=address(self.border_distance),
            segment_count=len(self.segments.start),
            slice_stride=rows * columns,
            row_stride=columns,
            longest_segment=int(self.segments.length.max()),
            directions=self.directions,
        )


def find_segments(mask: Mask) -> Segments:
    """Find the runs of a mask with at least one voxel, shape (slice, row, column)."""
    padded = np.pad(mask, 1)
    flat = padded.reshape(-1)
    start = np.flatnonzero(flat[1:] > flat[:-1]) + 1
    lengths = np.flatnonzero(flat[1:] < flat[:-1]) + 1 - start
    slices, rows, columns = padded.shape
    return Segments(
        shape=(slices, rows, columns),
        start=start.astype(np.int32),
        length=lengths.astype(np.int32),
        voxels=int(lengths.sum()),
    )


def gather(segments: Segments, box: Real) -> Real:
    """Values of the mask's voxels, in their order, from the box that the mask fills."""
    values = np.empty(segments.voxels)
    box = np.ascontiguousarray(box)
    load_core().gather_region(
        pointer(box),
        size_triple(segments.shape),
        pointer(segments.start),
        pointer(segments.length),
        length(segments.start),
        pointer(values),
    )
    return values


def build_lattice(segments: Segments, region: Mask, *, in_plane: bool) -> Lattice:
    """Prepare a mask for texture.

    Args:
        segments: Voxels that have gray levels.
        region: Region whose border distances are measured from, shape of the mask; the
            voxels with gray levels belong to it.
        in_plane: Measure in the slice only; the mask must then be one slice.
    """
    border = np.pad(region, 1).view(np.uint8)
    distance = np.empty(border.shape, np.uint16)
    load_core().measure_border_distance(
        pointer(border), shape_of(border), int(in_plane), pointer(distance)
    )
    padded, voxels = distance.size, segments.voxels
    lattice = Lattice(
        segments=segments,
        neighbors=np.empty(voxels, np.uint8),
        border_distance=distance,
        in_plane=in_plane,
        scratch=Scratch(
            levels=np.zeros(padded + SLACK, np.uint16),
            labels=np.empty(padded, np.int32),
            parents=np.empty(voxels, np.int32),
            zone_level=np.empty(voxels, np.uint16),
            zone_size=np.empty(voxels, np.uint32),
            zone_distance=np.empty(voxels, np.uint16),
        ),
    )
    fill(lattice, np.ones(voxels, np.uint16))
    done = load_core().count_neighbors(
        ctypes.byref(lattice.as_structure()), pointer(lattice.neighbors)
    )
    require_memory(done, "the region's neighborhoods")
    return lattice


def fill(lattice: Lattice, levels: Levels) -> None:
    """Put the gray levels of the voxels, shape (n_voxels,), into their places."""
    load_core().fill_levels(
        ctypes.byref(lattice.as_structure()),
        pointer(np.ascontiguousarray(levels)),
        pointer(lattice.scratch.levels),
    )


@cache
def join_table() -> NDArray[np.uint32]:
    """Which visited neighbors of a level have to be joined, for each subset of them."""
    table = np.empty(SUBSETS, np.uint32)
    load_core().fill_join_table(pointer(table))
    table.setflags(write=False)
    return table
