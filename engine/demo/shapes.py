"""Implicit shapes in reference-body coordinates: ellipsoids, capsules, tubes.

Points and sizes are (z, y, x) in mm; every function gives the box it covers and the
signed distance there (negative inside; exact for capsules, first-order for ellipsoids).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.demo.canvas import Box, Canvas, Field

Points = NDArray[np.float64]
FAR_MM = 1e3


def ellipsoid_at(
    canvas: Canvas, box: Box, center: Sequence[float], radii: Sequence[float]
) -> Field:
    """Signed distance to an axis-aligned ellipsoid inside a given box."""
    z = canvas.z[box] - np.float32(center[0])
    y = canvas.y[box] - np.float32(center[1])
    x = canvas.x[box] - np.float32(center[2])
    rz, ry, rx = (np.float32(r) for r in radii)
    scaled = np.sqrt((z / rz) ** 2 + (y / ry) ** 2 + (x / rx) ** 2)
    slope = np.sqrt((z / rz**2) ** 2 + (y / ry**2) ** 2 + (x / rx**2) ** 2)
    return np.asarray(scaled * (scaled - 1) / np.maximum(slope, np.float32(1e-4)))


def ellipsoid(
    canvas: Canvas, center: Sequence[float], radii: Sequence[float], *, margin_mm: float = 4.0
) -> tuple[Box, Field]:
    """An axis-aligned ellipsoid."""
    box = canvas.around(center, [r + margin_mm for r in radii])
    return box, ellipsoid_at(canvas, box, center, radii)


def _capsule_at(canvas: Canvas, box: Box, ends: Points, radii: Sequence[float]) -> Field:
    start = ends[0].astype(np.float32)
    along = (ends[1] - ends[0]).astype(np.float32)
    z, y, x = (c[box] - s for c, s in zip((canvas.z, canvas.y, canvas.x), start, strict=True))
    length_2 = max(float(along @ along), 1e-6)
    t = np.clip((z * along[0] + y * along[1] + x * along[2]) * np.float32(1 / length_2), 0, 1)
    gap = np.sqrt((z - t * along[0]) ** 2 + (y - t * along[1]) ** 2 + (x - t * along[2]) ** 2)
    return np.asarray(gap - (np.float32(radii[0]) + t * np.float32(radii[1] - radii[0])))


def capsule(
    canvas: Canvas, ends: Points, radii: Sequence[float], *, margin_mm: float = 3.0
) -> tuple[Box, Field]:
    """A straight piece of vessel whose radius changes linearly from end to end."""
    reach = max(radii) + margin_mm
    box = canvas.box(ends.min(axis=0) - reach, ends.max(axis=0) + reach)
    return box, _capsule_at(canvas, box, ends, radii)


def tube(
    canvas: Canvas, points: Points, radii: Sequence[float], *, margin_mm: float = 6.0
) -> tuple[Box, Field]:
    """A bent tube through ``points``, shape (n, 3), with a radius at each point."""
    reach = max(radii) + margin_mm
    box = canvas.box(points.min(axis=0) - reach, points.max(axis=0) + reach)
    distance = np.full([s.stop - s.start for s in box], FAR_MM, np.float32)
    for index in range(len(points) - 1):
        ends, pair = points[index : index + 2], radii[index : index + 2]
        part = canvas.box(ends.min(axis=0) - reach, ends.max(axis=0) + reach)
        inner = tuple(
            slice(p.start - b.start, p.stop - b.start) for p, b in zip(part, box, strict=True)
        )
        view = distance[inner]
        np.minimum(view, _capsule_at(canvas, part, ends, pair), out=view)
    return box, distance


def rounded_path(knots: Points, *, steps: int = 4) -> Points:
    """Catmull-Rom curve through knots, shape (n, 3), ``steps`` pieces per gap."""
    padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for i in range(len(knots) - 1):
        p0, p1, p2, p3 = padded[i : i + 4]
        cubic = (-p0 + 3 * p1 - 3 * p2 + p3) * t**3
        square = (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        pieces.append((2 * p1 + (p2 - p0) * t + square + cubic) / 2)
    return np.vstack([*pieces, knots[-1:]])
