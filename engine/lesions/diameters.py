"""Diameters of a voxel mask, taken between points on its surface.

A surface point lies half way between a voxel inside and its neighbor outside: the
vertices of the surface mesh that IBSI measures on (marching cubes at 0.5, IBSI code
L0JK). A bar of n voxels is n voxels long; a round shape reads up to one voxel longer
than it is, where distances between voxel centers read a bar one voxel too short.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TIE_MM = 1e-6
"""Distances closer than this are equal: the difference is rounding, not anatomy."""


def surface_points(mask: NDArray[np.bool_]) -> FloatArray:
    """Half-way points between inside and outside voxels of an n-dimensional mask.

    Returns:
        Fractional indices, shape (n_points, mask.ndim).
    """
    padded = np.pad(mask, 1)
    points: list[FloatArray] = []
    for axis in range(mask.ndim):
        change = np.diff(padded.view(np.int8), axis=axis)
        found = np.argwhere(change != 0).astype(np.float64) - 1.0
        found[:, axis] += 0.5
        points.append(found[_inside_span(found, mask, axis)])
    return np.concatenate(points)


def _inside_span(found: FloatArray, mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Drop the padding's own rows on the other axes."""
    keep = np.ones(len(found), bool)
    for other in range(mask.ndim):
        if other != axis:
            keep &= (found[:, other] >= 0) & (found[:, other] <= mask.shape[other] - 1)
    return keep


def convex_hull(points: FloatArray) -> FloatArray:
    """Corners of the planar convex hull, counter-clockwise (Andrew's monotone chain).

    Args:
        points: Shape (n, 2), n ≥ 1.

    Returns:
        Hull corners, shape (h, 2), without collinear ones.
    """
    ordered = np.unique(points, axis=0)
    if len(ordered) < 3:
        return ordered
    halves = []
    for sequence in (ordered, ordered[::-1]):
        chain: list[FloatArray] = []
        for point in sequence:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        halves.append(chain[:-1])
    return np.array(halves[0] + halves[1])


def _turn(first: FloatArray, second: FloatArray, third: FloatArray) -> float:
    """Twice the signed area of a triangle; positive for a left turn."""
    (ax, ay), (bx, by) = second - first, third - first
    return float(ax * by - ay * bx)


def longest_distance(points: FloatArray) -> tuple[float, FloatArray]:
    """Two points of a set that are farthest apart; the first such pair in order.

    Args:
        points: Shape (n, d), in mm, n ≥ 1.

    Returns:
        The distance and the two points, shape (2, d).
    """
    length, pairs = farthest_pairs(points)
    return length, pairs[0]


def farthest_pairs(points: FloatArray) -> tuple[float, FloatArray]:
    """All pairs of a set that are farthest apart (voxel shapes have ties).

    Args:
        points: Shape (n, d), in mm, n ≥ 1.

    Returns:
        The distance and the pairs that reach it to TIE_MM, shape (k, 2, d).
    """
    rows = [
        np.sqrt(((points[start : start + 512, None, :] - points[None, :, :]) ** 2).sum(-1))
        for start in range(0, len(points), 512)
    ]
    length = max(float(row.max()) for row in rows)
    pairs: list[tuple[int, int]] = []
    for block, row in enumerate(rows):
        for first, second in np.argwhere(row >= length - TIE_MM):
            if block * 512 + first <= second:
                pairs.append((block * 512 + int(first), int(second)))
    return length, points[np.array(pairs)]


def widest_chord_across(hull: FloatArray, axis_ends: FloatArray) -> tuple[float, FloatArray]:
    """Longest chord of a convex polygon perpendicular to a given axis.

    The width of a convex polygon across a direction is piecewise linear between its
    corners, so the widest chord starts at a corner and the search is exact.

    Args:
        hull: Corners in order, shape (h, 2), in mm.
        axis_ends: The two ends of the axis, shape (2, 2).

    Returns:
        Chord length and its two ends, shape (2, 2).
    """
    along = axis_ends[1] - axis_ends[0]
    length = float(np.hypot(*along))
    if length == 0 or len(hull) < 3:
        return 0.0, np.array([axis_ends[0], axis_ends[0]])
    along = along / length
    across = np.array([-along[1], along[0]])
    positions = (hull - axis_ends[0]) @ along
    heights = (hull - axis_ends[0]) @ across
    best, ends = -1.0, np.zeros((2, 2))
    for position in positions:
        crossings = _crossings(positions, heights, float(position))
        width = max(crossings) - min(crossings)
        if width > best:
            best = width
            ends = (
                axis_ends[0] + position * along + np.outer([min(crossings), max(crossings)], across)
            )
    return best, ends


def _crossings(positions: FloatArray, heights: FloatArray, at: float) -> list[float]:
    """Heights at which the closed polygon crosses one position along the axis."""
    found: list[float] = []
    for here in range(len(positions)):
        there = (here + 1) % len(positions)
        low, high = positions[here], positions[there]
        if min(low, high) <= at <= max(low, high):
            if high == low:
                found += [float(heights[here]), float(heights[there])]
            else:
                share = (at - low) / (high - low)
                found.append(float(heights[here] + share * (heights[there] - heights[here])))
    return found
