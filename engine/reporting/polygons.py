"""Polygons along the pixel edges of a mask; holes are joined by keyholes.

Pixel edges, not smoothed lines: the polygon's area is the pixels' area exactly, and every
receiver that asks whether a pixel's center is inside gets the same mask back. An RT Structure
Set draws a hole as a keyhole, a channel of no width to it (PS3.3 C.8.8.6.3).
"""

import numpy as np
from numpy.typing import NDArray

Vertex = tuple[int, int]
Edge = tuple[int, int, int]
Loop = list[Vertex]

# Steps clockwise on the screen (row, column): right, down, left, up.
_STEPS: tuple[Vertex, ...] = ((0, 1), (1, 0), (0, -1), (-1, 0))
# Where two pixels meet in a corner only, the clockwise turn stays with the same pixel.
_TURNS = (1, 0, 3)


def _edges(mask: NDArray[np.bool_]) -> list[Edge]:
    """Sides of pixels on the boundary as (row, column, direction), the mask on their right."""
    inside = np.pad(mask, 1)
    here = inside[1:-1, 1:-1]
    sides = (
        (0, inside[:-2, 1:-1], (0, 0)),
        (1, inside[1:-1, 2:], (0, 1)),
        (2, inside[2:, 1:-1], (1, 1)),
        (3, inside[1:-1, :-2], (1, 0)),
    )
    edges: list[Edge] = []
    for direction, neighbor, corner in sides:
        starts = np.argwhere(here & ~neighbor) + corner
        edges += [(row, column, direction) for row, column in starts.tolist()]
    return sorted(edges)


def _trace(edges: list[Edge]) -> list[Loop]:
    """Chain the sides to closed loops, clockwise around pixels, the other way around holes."""
    known, done = set(edges), set[Edge]()
    loops = []
    for first in edges:
        if first in done:
            continue
        loop: Loop = []
        edge = first
        while edge not in done:
            done.add(edge)
            row, column, direction = edge
            loop.append((row, column))
            row, column = row + _STEPS[direction][0], column + _STEPS[direction][1]
            followers = ((row, column, (direction + turn) % 4) for turn in _TURNS)
            edge = next(follower for follower in followers if follower in known)
        loops.append(loop)
    return loops


def signed_area(points: NDArray[np.float64]) -> float:
    """Area of a closed polygon, shape (n, 2); positive when (row, column) turns clockwise."""
    row, column = points[:, 0], points[:, 1]
    return float((column * np.roll(row, -1) - np.roll(column, -1) * row).sum() / 2.0)


def _join_holes(outer: list[Loop], holes: list[Loop]) -> list[Loop]:
    """Make each hole part of the loop around it.

    From a hole's leftmost corner one walks left along the grid. All pixels passed belong to
    the region of the hole, so the first corner on a boundary belongs to that region's own
    outline, or to a hole further left, which has been joined already.
    """
    owner = {vertex: number for number, loop in enumerate(outer) for vertex in loop}
    for hole in sorted(holes, key=lambda loop: min((c, r) for r, c in loop)):
        column, row = min((c, r) for r, c in hole)
        start, place = (row, column), column - 1
        while (row, place) not in owner:
            place -= 1
        number = owner[(row, place)]
        target, at = outer[number], outer[number].index((row, place))
        turn = hole.index(start)
        around = [*hole[turn:], *hole[:turn], start]
        outer[number] = [*target[: at + 1], *around, *target[at:]]
        owner |= dict.fromkeys(hole, number)
    return outer


def _without_straight(loop: Loop) -> NDArray[np.float64]:
    """Drop corners a line goes straight through; the turning points of keyholes stay."""
    points = np.array(loop, np.float64)
    before, after = points - np.roll(points, 1, 0), np.roll(points, -1, 0) - points
    is_straight = np.all(np.sign(before) == np.sign(after), axis=1)
    return np.asarray(points[~is_straight])


def find_polygons(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """One closed polygon for every region of pixels that share sides.

    Args:
        mask: Shape (rows, columns).

    Returns:
        Largest first; shape (n, 2) of (row, column) with pixel centers at whole numbers, so
        that corners lie at halves; the last point is followed by the first. Holes are joined
        by keyholes, so the area is that of the region's pixels.
    """
    loops = _trace(_edges(mask))
    areas = [signed_area(np.array(loop, np.float64)) for loop in loops]
    outer = [loop for loop, area in zip(loops, areas, strict=True) if area > 0]
    holes = [loop for loop, area in zip(loops, areas, strict=True) if area < 0]
    polygons = [_without_straight(loop) - 0.5 for loop in _join_holes(outer, holes)]
    return sorted(polygons, key=signed_area, reverse=True)
