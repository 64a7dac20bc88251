"""Texture matrices of a region and their features (IBSI 3.6 to 3.11)."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.radiomics.catalog import Aggregation, Family
from engine.radiomics.discretization import GrayLevels
from engine.radiomics.lattice import (
    Lattice,
    Levels,
    Segments,
    build_lattice,
    fill,
    find_segments,
    join_table,
)
from engine.radiomics.native import Mask, Real, address, length, load_core, pointer, require_memory

NEIGHBOR_COUNTS = 27
Values = dict[tuple[Family, str], Real]
"""Features by family and aggregation ("3D, merged"; "3D" where directions do not matter)."""


class _TextureCounts(ctypes.Structure):
    """``TextureCounts`` of texture.c."""

    _fields_ = (
        ("cooccurrence", ctypes.c_void_p),
        ("runs", ctypes.c_void_p),
        ("differences", ctypes.c_void_p),
        ("neighbored", ctypes.c_void_p),
        ("dependence", ctypes.c_void_p),
        ("labels", ctypes.c_void_p),
        ("parents", ctypes.c_void_p),
        ("zone_level", ctypes.c_void_p),
        ("zone_size", ctypes.c_void_p),
        ("zone_distance", ctypes.c_void_p),
        ("joins", ctypes.c_void_p),
        ("gray_levels", ctypes.c_int32),
        ("longest_run", ctypes.c_int32),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrices:
    """Texture matrices of one region or slice; those of several slices can be merged.

    Attributes:
        voxels: Number of region voxels.
        cooccurrence: One-sided pair counts, (direction, N_g + 1, N_g + 1).
        runs: Run counts, (direction, N_g, longest run).
        differences: Sums of |i · c − sum of the c neighbors|, (N_g, 27) by c.
        neighbored: Voxels with a neighbor, (N_g,).
        dependence: Voxels by neighbors of the same level, (N_g, 27).
        zone_level, zone_size, zone_distance: One entry per zone. They lie in the lattice's
            scratch and hold until it is counted again.
    """

    voxels: int
    cooccurrence: NDArray[np.uint32] = field(repr=False)
    runs: NDArray[np.uint32] = field(repr=False)
    differences: NDArray[np.uint64] = field(repr=False)
    neighbored: NDArray[np.uint32] = field(repr=False)
    dependence: NDArray[np.uint32] = field(repr=False)
    zone_level: NDArray[np.uint16] = field(repr=False)
    zone_size: NDArray[np.uint32] = field(repr=False)
    zone_distance: NDArray[np.uint16] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextureRegion:
    """The lattices of a region: of the volume, and of each slice with region voxels.

    Attributes:
        volume: None when no 3D aggregation is wanted.
        slices: Lattice of each slice and the range of its voxels among the region's; empty
            when no 2D or 2.5D aggregation is wanted.
    """

    volume: Lattice | None
    slices: tuple[tuple[Lattice, slice], ...]


def build_texture_region(
    segments: Segments, intensity: Mask, morphological: Mask, aggregations: Sequence[Aggregation]
) -> TextureRegion:
    """Prepare a region for the aggregations that are wanted.

    Args:
        segments: Runs of the intensity mask.
        intensity: Voxels that have gray levels, shape (slice, row, column).
        morphological: Region whose border distances are measured from, same shape.
        aggregations: Aggregations that will be described.
    """
    dimensions = {a.dimension for a in aggregations}
    region = morphological | intensity
    volume = build_lattice(segments, region, in_plane=False) if "3D" in dimensions else None
    slices: list[tuple[Lattice, slice]] = []
    if dimensions & {"2D", "2.5D"}:
        before = 0
        for z in np.flatnonzero(intensity.any(axis=(1, 2))):
            plane = slice(z, z + 1)
            runs = find_segments(intensity[plane])
            lattice = build_lattice(runs, region[plane], in_plane=True)
            slices.append((lattice, slice(before, before + runs.voxels)))
            before += runs.voxels
    return TextureRegion(volume=volume, slices=tuple(slices))


def describe_texture(
    region: TextureRegion, gray: GrayLevels, aggregations: Sequence[Aggregation]
) -> Values:
    """All texture features of a region, for each aggregation."""
    dimensions = {a.dimension for a in aggregations}
    values: Values = {}
    if region.volume is not None:
        values |= describe_matrices(count_matrices(region.volume, gray.levels, gray.count), "3D")
    planes = [count_matrices(p, gray.levels[where], gray.count) for p, where in region.slices]
    if "2.5D" in dimensions:
        values |= describe_matrices(merge_matrices(planes), "2.5D")
    if "2D" in dimensions:
        each = [describe_matrices(plane, "2D") for plane in planes]
        values |= {key: _mean_defined([v[key] for v in each]) for key in each[0]}
    return values


def _mean_defined(rows: list[Real]) -> Real:
    """Mean of each feature over the slices where it is defined; NaN where none is."""
    stacked = np.array(rows)
    defined = np.isfinite(stacked)
    count = defined.sum(axis=0)
    total = np.where(defined, stacked, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def count_matrices(lattice: Lattice, levels: Levels, gray_levels: int) -> Matrices:
    """Count the texture matrices of a lattice.

    Args:
        lattice: The region.
        levels: Gray level of each voxel, 1..gray_levels, shape (n_voxels,).
        gray_levels: Number of gray levels N_g.
    """
    fill(lattice, levels)
    longest_run = max(lattice.segments.shape) - 2
    directions, width = lattice.directions, gray_levels + 1
    cooccurrence = np.empty((directions, width, width), np.uint32)
    runs = np.zeros((directions, gray_levels, longest_run), np.uint32)
    differences = np.zeros((gray_levels, NEIGHBOR_COUNTS), np.uint64)
    neighbored = np.zeros(gray_levels, np.uint32)
    dependence = np.zeros((gray_levels, NEIGHBOR_COUNTS), np.uint32)
    scratch = lattice.scratch
    counts = _TextureCounts(
        cooccurrence=address(cooccurrence),
        runs=address(runs),
        differences=address(differences),
        neighbored=address(neighbored),
        dependence=address(dependence),
        labels=address(scratch.labels),
        parents=address(scratch.parents),
        zone_level=address(scratch.zone_level),
        zone_size=address(scratch.zone_size),
        zone_distance=address(scratch.zone_distance),
        joins=address(join_table()),
        gray_levels=gray_levels,
        longest_run=longest_run,
    )
    structure = lattice.as_structure()
    zones = load_core().count_texture(ctypes.byref(structure), ctypes.byref(counts))
    require_memory(zones, "texture matrices")
    return Matrices(
        voxels=lattice.segments.voxels,
        cooccurrence=cooccurrence,
        runs=runs,
        differences=differences,
        neighbored=neighbored,
        dependence=dependence,
        zone_level=scratch.zone_level[:zones],
        zone_size=scratch.zone_size[:zones],
        zone_distance=scratch.zone_distance[:zones],
    )


def merge_matrices(planes: Sequence[Matrices]) -> Matrices:
    """Add the matrices of slices (2.5D aggregation)."""
    longest = max(plane.runs.shape[2] for plane in planes)
    widened = [
        np.pad(plane.runs, ((0, 0), (0, 0), (0, longest - plane.runs.shape[2]))) for plane in planes
    ]

    def total(arrays: list[NDArray[np.uint32]]) -> NDArray[np.uint32]:
        return np.asarray(np.sum(arrays, axis=0, dtype=np.uint32))

    return Matrices(
        voxels=sum(plane.voxels for plane in planes),
        cooccurrence=total([plane.cooccurrence for plane in planes]),
        runs=total(widened),
        differences=np.sum([plane.differences for plane in planes], axis=0, dtype=np.uint64),
        neighbored=total([plane.neighbored for plane in planes]),
        dependence=total([plane.dependence for plane in planes]),
        zone_level=np.concatenate([plane.zone_level for plane in planes]),
        zone_size=np.concatenate([plane.zone_size for plane in planes]),
        zone_distance=np.concatenate([plane.zone_distance for plane in planes]),
    )


def describe_matrices(matrices: Matrices, dimension: str) -> Values:
    """Features of one set of matrices, keyed by the aggregation they make in a dimension."""
    averaged, merged = {
        "2D": (Aggregation.AVERAGED_2D, Aggregation.MERGED_2D),
        "2.5D": (Aggregation.MERGED_2_5D, Aggregation.ALL_MERGED_2_5D),
        "3D": (Aggregation.AVERAGED_3D, Aggregation.MERGED_3D),
    }[dimension]
    pairs = _describe_cooccurrence(matrices)
    runs = _describe_counts(matrices.runs, matrices.voxels)
    distances = _distance_matrix(matrices)
    return {
        (Family.COOCCURRENCE, averaged): pairs[0],
        (Family.COOCCURRENCE, merged): pairs[1],
        (Family.RUN_LENGTH, averaged): runs[0][:16],
        (Family.RUN_LENGTH, merged): runs[1][:16],
        (Family.SIZE_ZONE, dimension): _describe_zones(matrices),
        (Family.DISTANCE_ZONE, dimension): _describe_counts(distances, matrices.voxels)[1][:16],
        (Family.TONE_DIFFERENCE, dimension): _describe_tone(matrices),
        (Family.DEPENDENCE, dimension): _describe_counts(
            matrices.dependence[None], matrices.voxels
        )[1],
    }


def _describe_cooccurrence(matrices: Matrices) -> Real:
    out = np.empty((2, 25))
    directions, width, _ = matrices.cooccurrence.shape
    done = load_core().describe_cooccurrence(
        pointer(matrices.cooccurrence), directions, width - 1, pointer(out[0]), pointer(out[1])
    )
    require_memory(done, "co-occurrence features")
    return out


def _describe_counts(counts: NDArray[np.uint32], voxels: int) -> Real:
    """Features of (direction, level, size) counts: averaged over directions and merged."""
    out = np.empty((2, 17))
    directions, gray_levels, sizes = counts.shape
    done = load_core().describe_count_matrices(
        pointer(counts),
        directions,
        gray_levels,
        ctypes.c_int64(sizes),
        ctypes.c_double(voxels),
        pointer(out[0]),
        pointer(out[1]),
    )
    require_memory(done, "texture features")
    return out


def _distance_matrix(matrices: Matrices) -> NDArray[np.uint32]:
    gray_levels, farthest = matrices.dependence.shape[0], int(matrices.zone_distance.max())
    counts = np.zeros((1, gray_levels, farthest), np.uint32)
    load_core().count_zone_distances(
        pointer(matrices.zone_level),
        pointer(matrices.zone_distance),
        length(matrices.zone_level),
        ctypes.c_int64(farthest),
        pointer(counts),
    )
    return counts


def _describe_zones(matrices: Matrices) -> Real:
    out = np.empty(16)
    done = load_core().describe_zones(
        pointer(matrices.zone_level),
        pointer(matrices.zone_size),
        length(matrices.zone_level),
        matrices.dependence.shape[0],
        ctypes.c_double(matrices.voxels),
        pointer(out),
    )
    require_memory(done, "zone features")
    return out


def _describe_tone(matrices: Matrices) -> Real:
    neighbors = np.maximum(np.arange(NEIGHBOR_COUNTS), 1)
    sums = np.ascontiguousarray((matrices.differences / neighbors).sum(axis=1))
    out = np.empty(5)
    load_core().describe_tone_differences(
        pointer(sums), pointer(matrices.neighbored), len(sums), pointer(out)
    )
    return out
