"""Liver of the phantom: lobes under the diaphragm, carved by what touches it."""

import numpy as np
from numpy.random import Generator

from engine.demo.canvas import Box, Canvas, Field, smooth_field, smooth_maximum, smooth_minimum
from engine.demo.parameters import PhantomParameters
from engine.demo.shapes import ellipsoid_at, tube
from engine.demo.tissues import Tissue
from engine.demo.torso import Cavity

LIVER_LOW_MM, LIVER_HIGH_MM = (-215.0, -110.0, -140.0), (25.0, 100.0, 130.0)
PORTA_HEPATIS = np.array([-84.0, -6.0, -34.0])
GALLBLADDER = np.array([[-96, -22, -44], [-114, -42, -52], [-134, -58, -58]], float)


def liver_box(canvas: Canvas) -> Box:
    """Voxels the liver and its vessels may lie in."""
    return canvas.box(LIVER_LOW_MM, LIVER_HIGH_MM)


def liver_distance(
    canvas: Canvas, cavity: Cavity, parameters: PhantomParameters, rng: Generator
) -> Field:
    """Signed distance to the liver's surface before its neighbors carve it.

    Returns:
        mm, negative inside, on ``liver_box(canvas)``.
    """
    box = liver_box(canvas)
    z, y, x = canvas.z[box], canvas.y[box], canvas.x[box]
    under = cavity.dome[box] + np.float32(2.2)
    within = cavity.inner[box] + np.float32(0.3 + 0.4 * parameters.gap_mm)
    envelope = smooth_maximum(under, within, 8.0)
    right = smooth_maximum(
        np.float32(0.75) * (x + 22) + np.float32(0.66) * (y - 6),
        _visceral_surface(z, y, x, parameters),
        26.0,
    )
    reach = 78.0 * parameters.left_lobe_scale
    left = ellipsoid_at(canvas, box, (-50.0, -48.0, 8.0), (44.0, 36.0, reach))
    left = smooth_maximum(left, -(z + 104) * np.float32(0.9), 10.0)
    caudate = ellipsoid_at(canvas, box, (-66.0, 4.0, -8.0), (32.0, 13.0, 15.0))
    lobes = smooth_minimum(smooth_minimum(right, left, 16.0), caudate, 8.0)
    axes = tuple(a[s] for a, s in zip(canvas.axes_mm, box, strict=True))
    lobes += np.float32(2.4) * smooth_field(rng, axes, 26.0)
    nodules = np.float32(parameters.nodularity_mm) * smooth_field(rng, axes, 9.0)
    lobes += nodules
    envelope += np.maximum(nodules, 0) * np.float32(0.4)
    return np.asarray(smooth_maximum(lobes, envelope, 6.0), np.float32)


def _visceral_surface(z: Field, y: Field, x: Field, parameters: PhantomParameters) -> Field:
    """Inferior surface: low at the right edge, rising to the porta hepatis."""
    edge = np.float32(-98 - parameters.right_lobe_mm * 0.3)
    fall = np.float32(0.82 + 0.008 * parameters.right_lobe_mm)
    height = edge + fall * np.minimum(x + 26, 0) + np.float32(0.2) * np.maximum(x + 26, 0)
    height += np.float32(0.1) * np.clip(y, -60, 60)
    return np.asarray((height - z) * np.float32(0.76))


def _fissures(canvas: Canvas, box: Box, rng: Generator) -> Field:
    """Fat of the fissures for the round and the venous ligament."""
    z, y, x = canvas.z[box], canvas.y[box], canvas.x[box]
    axes = tuple(a[s] for a, s in zip(canvas.axes_mm, box, strict=True))
    bent = np.float32(2.6) * smooth_field(rng, axes, 20.0)
    width = np.float32(1.0) + np.float32(0.06) * np.maximum(-58 - z, 0)
    round_ligament = np.maximum(
        np.abs(x - 6 - np.float32(0.12) * (y + 40) + bent) - width,
        np.maximum(z + 58, y + 26),
    )
    sheet = np.abs(y + 12 + np.float32(0.25) * (x + 5) + bent) - np.float32(1.3)
    venous = np.maximum(np.maximum(sheet, z + 44), np.maximum(-z - 92, -x - 16))
    return np.asarray(np.minimum(round_ligament, venous))


def carve(canvas: Canvas, liver: Field, other: tuple[Box, Field], gap_mm: float) -> Field:
    """Take a neighbor and a gap around it out of the liver."""
    frame = liver_box(canvas)
    box, distance = other
    overlap = [
        (max(f.start, b.start), min(f.stop, b.stop)) for f, b in zip(frame, box, strict=True)
    ]
    if any(stop <= start for start, stop in overlap):
        return liver
    mine = tuple(slice(a - f.start, b - f.start) for (a, b), f in zip(overlap, frame, strict=True))
    theirs = tuple(slice(a - f.start, b - f.start) for (a, b), f in zip(overlap, box, strict=True))
    view = liver[mine]
    view[...] = smooth_maximum(view, np.float32(gap_mm) - distance[theirs], 3.0)
    return liver


def carve_hilum(canvas: Canvas, liver: Field, rng: Generator) -> Field:
    """Fissures, gallbladder fossa and the fat around the porta hepatis."""
    box = liver_box(canvas)
    liver = smooth_maximum(liver, -_fissures(canvas, box, rng), 2.0)
    path = np.array([[-112, 2, -14], PORTA_HEPATIS, [-80, -16, -16]], float)
    liver = carve(canvas, liver, tube(canvas, path, [11.0, 7.0, 4.0]), 0.0)
    return carve(canvas, liver, gallbladder(canvas), 0.6)


def gallbladder(canvas: Canvas) -> tuple[Box, Field]:
    """Pear-shaped gallbladder under the right lobe."""
    return tube(canvas, GALLBLADDER, [5.0, 11.0, 14.0])


def paint_liver(canvas: Canvas, liver: Field) -> None:
    """Paint the parenchyma and the gallbladder in its fossa."""
    canvas.paint(liver_box(canvas), liver, Tissue.LIVER)
    box, pear = gallbladder(canvas)
    canvas.paint(box, pear, Tissue.BOWEL_WALL)
    canvas.paint(box, pear + np.float32(1.2), Tissue.GALLBLADDER)
