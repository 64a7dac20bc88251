"""Triangles of the 256 kinds of marching cubes cell, derived from rules instead of a table.

The outlines of the surface on the six faces of a cell form closed loops; each loop is filled
with triangles. Where a face is ambiguous and where a loop can be filled in several ways, IBSI
leaves the choice open. The choices made here are those of the topological marching cubes of
Lewiner et al. 2003 (doi:10.1080/10867651.2003.10487582) on a binary image, which other centers
use through scikit-image, stated as rules:

- opposite corners of a face that are inside are joined;
- the minority of corners (inside or outside) gets as much volume as it can;
- with four corners inside, the loop is filled with the largest area, and among equal areas
  with the middle volume;
- three inside corners all joined to each other, and a joined pair beside the rest of five
  inside corners, leave a tunnel of the least volume, and then of the largest area.
"""

from collections.abc import Iterator
from functools import cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from engine.radiomics.native import Real

Corner = tuple[int, int, int]
Crossing = tuple[Corner, Corner]
Filling = list[tuple[Real, Real, Real]]

CONFIGURATIONS = 256
TUNNELS = {(3, 3, 6), (5, 3, 4)}
"""Inside corners and loop lengths of the cells whose two loops are joined by a tunnel."""
SAME_AREA = 1e-9

_FACES = tuple(
    (axis, side, order)
    for axis in range(3)
    for side, order in (
        (1, ((0, 0), (1, 0), (1, 1), (0, 1))),
        (0, ((0, 0), (0, 1), (1, 1), (1, 0))),
    )
)
"""Axis, side and corner order (counterclockwise seen from outside) of a cell's six faces."""


@cache
def triangle_table() -> tuple[Real, NDArray[np.intp]]:
    """Triangles of all configurations.

    Corner (dz, dy, dx) of a cell sets bit 4 dz + 2 dy + dx of its configuration.

    Returns:
        Triangles in cell lengths, shape (n, 3, 3), normals out of the mask, and the
        configuration each belongs to, shape (n,).
    """
    triangles: Filling = []
    owners: list[int] = []
    for configuration in range(CONFIGURATIONS):
        cell = _fill_cell(configuration)
        triangles += cell
        owners += [configuration] * len(cell)
    return np.array(triangles), np.array(owners)


def _fill_cell(configuration: int) -> Filling:
    inside = configuration.bit_count()
    loops = sorted(
        ([(np.array(a) + np.array(b)) / 2 for a, b in loop] for loop in _trace(configuration)),
        key=len,
    )
    if (inside, *map(len, loops)) in TUNNELS:
        narrow, wide = loops
        tunnels = _pinched_tunnels if len(wide) == 4 else _tunnels
        return min(tunnels(narrow, wide), key=_tunnel_rank)
    return [triangle for loop in loops for triangle in _fill_loop(loop, inside)]


def _trace(configuration: int) -> list[list[Crossing]]:
    """Closed outlines of the surface in one cell, as the cell edges they cross.

    On each face a segment leads from where the outline of the face enters the mask back to
    where it has left it before.
    """
    inside = {
        corner: bool(configuration >> (4 * corner[0] + 2 * corner[1] + corner[2]) & 1)
        for corner in product((0, 1), repeat=3)
    }
    following: dict[Crossing, Crossing] = {}
    for axis, side, order in _FACES:
        corners = [_place(axis, side, a, b) for a, b in order]
        for k in range(4):
            if not inside[corners[k]] or inside[corners[(k + 1) % 4]]:
                continue
            again = k + 1
            while not inside[corners[(again + 1) % 4]]:
                again += 1
            entered = _crossing(corners[again % 4], corners[(again + 1) % 4])
            following[entered] = _crossing(corners[k], corners[(k + 1) % 4])
    loops: list[list[Crossing]] = []
    while following:
        start, here = following.popitem()
        loop = [start]
        while here != start:
            loop.append(here)
            here = following.pop(here)
        loops.append(loop)
    return loops


def _place(axis: int, side: int, a: int, b: int) -> Corner:
    corner = [0, 0, 0]
    corner[axis], corner[(axis + 1) % 3], corner[(axis + 2) % 3] = side, a, b
    return (corner[0], corner[1], corner[2])


def _crossing(a: Corner, b: Corner) -> Crossing:
    return (a, b) if a < b else (b, a)


def _fill_loop(loop: list[Real], inside: int) -> Filling:
    """Fill one loop by the rules for discs."""
    fillings = [[(loop[a], loop[b], loop[c]) for a, b, c in t] for t in _split(0, len(loop) - 1)]
    if inside != 4:
        sign = 1 if inside < 4 else -1
        return max(fillings, key=lambda filling: sign * _measure(filling)[1])
    largest = max(_measure(filling)[0] for filling in fillings)
    widest = [f for f in fillings if _measure(f)[0] > largest - SAME_AREA]
    widest.sort(key=lambda filling: _measure(filling)[1])
    return widest[len(widest) // 2]


def _split(first: int, last: int) -> list[list[tuple[int, int, int]]]:
    """All triangulations of the polygon first..last."""
    if last - first < 2:
        return [[]]
    return [
        [*left, *right, (first, middle, last)]
        for middle in range(first + 1, last)
        for left in _split(first, middle)
        for right in _split(middle, last)
    ]


def _tunnels(narrow: list[Real], wide: list[Real]) -> Iterator[Filling]:
    """All ways to join two loops by a ring of triangles."""
    a, b = len(narrow), len(wide)
    for start in range(b):
        for chosen in combinations(range(a + b), a):
            i, j, ring = 0, start, []
            for step in range(a + b):
                if step in chosen:
                    ring.append((narrow[i % a], narrow[(i + 1) % a], wide[j % b]))
                    i += 1
                else:
                    ring.append((narrow[i % a], wide[(j - 1) % b], wide[j % b]))
                    j -= 1
            yield ring


def _pinched_tunnels(narrow: list[Real], wide: list[Real]) -> Iterator[Filling]:
    """All ways to join two loops by a bridge and a fan around the center of the cell."""
    center = np.full(3, 0.5)
    for i, j in product(range(len(narrow)), range(len(wide))):
        before, here, *_ = after_first = narrow[i - 1 :] + narrow[: i - 1]
        after = after_first[2]
        left, right, *rest = wide[j:] + wide[:j]
        hole = [right, *rest, left, after, *after_first[3:], before]
        fan = [(p, q, center) for p, q in zip(hole, hole[1:] + hole[:1], strict=True)]
        yield [(left, right, here), (here, after, left), (before, here, right), *fan]


def _tunnel_rank(filling: Filling) -> tuple[float, float]:
    """Least volume first, then largest area."""
    area, volume = _measure(filling)
    return (round(volume, 9), -area)


def _measure(filling: Filling) -> tuple[float, float]:
    """Area, and volume as seen from the cell's corner."""
    corners = np.array(filling)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    volume = float((normals * corners.mean(axis=1)).sum() / 3)
    return float(np.linalg.norm(normals, axis=1).sum()), volume
