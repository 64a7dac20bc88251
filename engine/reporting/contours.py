"""Outlines of binary masks: marching squares at one half, chained to closed lines."""

import numpy as np
from numpy.typing import NDArray

Key = tuple[int, int]

# Corners of a 2×2 cell weigh 1 (top left), 2 (top right), 4 (bottom right), 8 (bottom left).
# Segments join the midpoints of cell sides; diagonal neighbors stay apart (cases 5 and 10).
_TOP, _BOTTOM, _LEFT, _RIGHT = (0, 1), (2, 1), (1, 0), (1, 2)
_SEGMENTS: dict[int, tuple[tuple[Key, Key], ...]] = {
    1: ((_TOP, _LEFT),),
    2: ((_TOP, _RIGHT),),
    3: ((_LEFT, _RIGHT),),
    4: ((_RIGHT, _BOTTOM),),
    5: ((_TOP, _LEFT), (_RIGHT, _BOTTOM)),
    6: ((_TOP, _BOTTOM),),
    7: ((_LEFT, _BOTTOM),),
    8: ((_LEFT, _BOTTOM),),
    9: ((_TOP, _BOTTOM),),
    10: ((_TOP, _RIGHT), (_LEFT, _BOTTOM)),
    11: ((_RIGHT, _BOTTOM),),
    12: ((_LEFT, _RIGHT),),
    13: ((_TOP, _RIGHT),),
    14: ((_TOP, _LEFT),),
}


def _links(mask: NDArray[np.bool_]) -> dict[Key, list[Key]]:
    """Neighbors of every side midpoint, in half-pixel units of the padded mask."""
    inside = np.pad(mask, 1).astype(np.uint8)
    cells = inside[:-1, :-1] + 2 * inside[:-1, 1:] + 4 * inside[1:, 1:] + 8 * inside[1:, :-1]
    links: dict[Key, list[Key]] = {}
    for row, column in np.argwhere((cells > 0) & (cells < 15)).tolist():
        for first, second in _SEGMENTS[int(cells[row, column])]:
            start = (2 * row + first[0], 2 * column + first[1])
            end = (2 * row + second[0], 2 * column + second[1])
            links.setdefault(start, []).append(end)
            links.setdefault(end, []).append(start)
    return links


def _without_collinear(points: NDArray[np.float64]) -> NDArray[np.float64]:
    before, after = points - np.roll(points, 1, 0), np.roll(points, -1, 0) - points
    turns = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return points[np.abs(turns) > 1e-9]


def find_outlines(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Closed outlines of a 2D mask, outer ones and holes.

    Args:
        mask: Shape (rows, columns).

    Returns:
        One array per outline, longest first, shape (n, 2) of (row, column) with pixel
        centers at whole numbers; the last point is followed by the first.
    """
    links = _links(mask)
    outlines = []
    while links:
        start = min(links)
        points, previous, current = [start], start, links[start][0]
        while current != start:
            points.append(current)
            one, other = links[current]
            previous, current = current, other if one == previous else one
        for point in points:
            del links[point]
        outlines.append(_without_collinear(np.array(points, np.float64) / 2.0 - 1.0))
    return sorted(outlines, key=_perimeter, reverse=True)


def _perimeter(points: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(points - np.roll(points, 1, 0), axis=1).sum())
