"""Texture matrices against slow counts by definition (IBSI 1, chapters 3.6 to 3.11)."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.radiomics.lattice import build_lattice, find_segments
from engine.radiomics.texture import Matrices, count_matrices

STEPS = [
    (0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1), (1, -1, -1), (1, -1, 0), (1, -1, 1),
    (1, 0, -1), (1, 0, 0), (1, 0, 1), (1, 1, -1), (1, 1, 0), (1, 1, 1),
]  # fmt: skip
Volume = NDArray[np.int64]


def region(shape: tuple[int, int, int], levels: int, seed: int, smooth: int = 1) -> Volume:
    """Random levels in blocks of ``smooth`` voxels, 0 outside a ragged region."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(1, levels + 1, [n // smooth + 1 for n in shape])
    for axis in range(3):
        coarse = coarse.repeat(smooth, axis)
    volume = coarse[: shape[0], : shape[1], : shape[2]]
    volume[rng.random(shape) < 0.2] = 0
    volume[0, 0, 0] = levels
    return volume


def count(volume: Volume, levels: int) -> Matrices:
    mask = volume > 0
    lattice = build_lattice(find_segments(mask), mask, in_plane=len(volume) == 1)
    return count_matrices(lattice, volume[mask].astype(np.uint16), levels)


def at(padded: Volume, where: tuple[int, ...], step: tuple[int, ...], times: int = 1) -> int:
    return int(padded[tuple(w + times * s for w, s in zip(where, step, strict=True))])


def count_slowly(volume: Volume, levels: int, directions: int) -> tuple[Volume, Volume]:
    """Pairs and runs, voxel by voxel."""
    longest = max(volume.shape)
    pairs = np.zeros((directions, levels + 1, levels + 1), int)
    runs = np.zeros((directions, levels, longest), int)
    padded = np.pad(volume, 1)
    for where in map(tuple, np.argwhere(padded)):
        level = int(padded[where])
        for d, step in enumerate(STEPS[:directions]):
            after = at(padded, where, step)
            pairs[d, level, after] += after > 0
            if at(padded, where, step, -1) != level:
                length = 1
                while at(padded, where, step, length) == level:
                    length += 1
                runs[d, level - 1, length - 1] += 1
    return pairs, runs


CASES = [((5, 6, 7), 4, 1), ((4, 9, 40), 6, 3), ((1, 12, 13), 5, 2), ((3, 5, 70), 2, 30)]


@pytest.mark.parametrize(("shape", "levels", "smooth"), CASES)
@pytest.mark.parametrize("wide", [1, 300])
def test_pairs_and_runs(shape: tuple[int, int, int], levels: int, smooth: int, wide: int) -> None:
    """Short and long runs, and so many levels that no table of runs fits."""
    volume = region(shape, levels, 3, smooth)
    volume[volume > 0] *= wide
    matrices = count(volume, levels * wide)
    pairs, runs = count_slowly(volume, levels * wide, len(matrices.cooccurrence))
    assert np.array_equal(matrices.cooccurrence[:, 1:, 1:], pairs[:, 1:, 1:])
    assert np.array_equal(matrices.runs, runs)


@pytest.mark.parametrize(("shape", "levels", "smooth"), CASES)
def test_neighborhoods(shape: tuple[int, int, int], levels: int, smooth: int) -> None:
    """Dependence and tone differences."""
    volume = region(shape, levels, 4, smooth)
    matrices = count(volume, levels)
    reach = product((-1, 0, 1) if shape[0] > 1 else (0,), (-1, 0, 1), (-1, 0, 1))
    steps = [s for s in reach if any(s)]
    dependence, differences = np.zeros((2, levels, 27), int)
    padded = np.pad(volume, 1)
    for where in map(tuple, np.argwhere(padded)):
        level = int(padded[where])
        near = [n for step in steps if (n := at(padded, where, step))]
        dependence[level - 1, near.count(level)] += 1
        differences[level - 1, len(near)] += abs(level * len(near) - sum(near))
    assert np.array_equal(matrices.dependence, dependence)
    assert np.array_equal(matrices.differences, differences)


@pytest.mark.parametrize(("shape", "levels", "smooth"), CASES)
def test_zones(shape: tuple[int, int, int], levels: int, smooth: int) -> None:
    """Sizes and least border distances, by flooding."""
    volume = region(shape, levels, 5, smooth)
    matrices = count(volume, levels)
    padded, flooded = np.pad(volume, 1), set()
    mask = volume > 0
    lattice = build_lattice(find_segments(mask), mask, in_plane=len(volume) == 1)
    zones = []
    for seed in map(tuple, np.argwhere(padded)):
        if seed in flooded:
            continue
        zone, border = {seed}, [seed]
        while border:
            here = border.pop()
            for step in product((-1, 0, 1), repeat=3):
                near = tuple(int(h + s) for h, s in zip(here, step, strict=True))
                if padded[near] == padded[seed] and near not in zone:
                    zone.add(near)
                    border.append(near)
        flooded |= zone
        distance = min(int(lattice.border_distance[w]) for w in zone)
        zones.append((int(padded[seed]), len(zone), distance))
    counted = zip(matrices.zone_level, matrices.zone_size, matrices.zone_distance, strict=True)
    assert sorted((int(a), int(b), int(c)) for a, b, c in counted) == sorted(zones)
