"""Body wall, diaphragm, lungs, heart and couch of the phantom (z, y, x in mm)."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from engine.demo.canvas import Box, Canvas, Field, smooth_field, smooth_maximum
from engine.demo.parameters import PhantomParameters
from engine.demo.shapes import FAR_MM, ellipsoid, tube
from engine.demo.tissues import Tissue

RING_HALF_WIDTH_MM = 143.0
RING_HALF_DEPTH_MM = 107.0


@dataclass(frozen=True, slots=True)
class Cavity:
    """Surfaces that organs lie against, signed distances on the whole canvas.

    Attributes:
        ring: Outer surface of the muscular body wall.
        inner: Inner surface of the body wall.
        dome: Diaphragm; positive above it, in the chest.
    """

    ring: Field
    inner: Field
    dome: Field


def _ring_distance(canvas: Canvas, box: Box, roundness: float) -> Field:
    """Rounded box between an ellipse and a rectangle; narrower at the waist."""
    z_mm = canvas.z_mm[box[0]] / canvas.scale[0]
    waist = 1.0 - 0.05 * np.exp(-(((z_mm + 185) / 55) ** 2))
    shape = (1 / waist).astype(np.float32)[:, None, None]
    x = canvas.x[box] * (shape / np.float32(RING_HALF_WIDTH_MM))
    y = canvas.y[box] * (shape / np.float32(RING_HALF_DEPTH_MM))
    x *= x
    y *= y
    rho = np.sqrt(np.sqrt(x * x + y * y + np.float32(roundness) * x * y))
    radius = np.hypot(canvas.x[box], canvas.y[box])
    return np.asarray(radius - radius / np.maximum(rho, np.float32(1e-3)))


def _hemidome(
    canvas: Canvas, box: Box, top: tuple[float, float, float], radii: tuple[float, float, float]
) -> Field:
    """Height of one dome: a half ellipsoid with its highest point at ``top`` (z, y, x)."""
    rho_2 = ((canvas.y[box] - np.float32(top[1])) * np.float32(1 / radii[1])) ** 2
    rho_2 += ((canvas.x[box] - np.float32(top[2])) * np.float32(1 / radii[2])) ** 2
    cap = np.sqrt(np.maximum(np.float32(1) - rho_2, 0))
    skirt = np.maximum(rho_2 - 1, 0) * np.float32(40)
    return np.asarray(np.float32(top[0] - radii[0]) + np.float32(radii[0]) * cap - skirt)


def _dome_distance(canvas: Canvas, box: Box, raised_mm: float) -> Field:
    right = _hemidome(canvas, box, (raised_mm, 0.0, -66.0), (100.0, 95.0, 72.0))
    left = _hemidome(canvas, box, (-16.0, 2.0, 64.0), (92.0, 92.0, 72.0))
    middle = _hemidome(canvas, box, (-17.0, -25.0, 0.0), (80.0, 72.0, 70.0))
    height = np.maximum(np.maximum(right, left), middle)
    return np.asarray((canvas.z[box] - height) * np.float32(0.75))


def _wall_mm(canvas: Canvas, box: Box) -> Field:
    """Thickness of the muscular wall: thin in front, thick at the back and flanks."""
    x, y, z = canvas.x[box], canvas.y[box], canvas.z[box]
    radius = np.hypot(x, y) + np.float32(1)
    toward_back = y / radius
    thickness = np.float32(9.5) + 6 * np.clip(toward_back, 0, 0.8) + np.clip(toward_back, -1, 0)
    flank = np.clip((-z - 120) / 40, 0, 1) * (x / radius) ** 2
    return np.asarray(thickness + 3 * flank, np.float32)


def cavity_of(canvas: Canvas, parameters: PhantomParameters) -> Cavity:
    """Compute the surfaces every organ refers to."""
    ring, inner, dome = (np.empty_like(canvas.x) for _ in range(3))
    for box in canvas.slabs():
        ring[box] = _ring_distance(canvas, box, parameters.roundness)
        inner[box] = ring[box] + _wall_mm(canvas, box)
        dome[box] = _dome_distance(canvas, box, parameters.dome_mm)
    return Cavity(ring=ring, inner=inner, dome=dome)


def paint_body_wall(
    canvas: Canvas, cavity: Cavity, parameters: PhantomParameters, rng: Generator
) -> None:
    """Skin, subcutaneous fat, muscle wall with fat planes, and the fat inside."""
    uneven = smooth_field(rng, canvas.axes_mm, 60.0)
    for box in canvas.slabs():
        skin = _skin_distance(canvas, box, cavity, parameters.fat_mm, uneven)
        canvas.paint(box, skin, Tissue.SKIN)
        canvas.paint(box, skin + np.float32(2.0), Tissue.SUBCUTANEOUS_FAT)
        canvas.paint(box, cavity.ring[box], Tissue.MUSCLE)
    _paint_fat_planes(canvas, cavity)
    canvas.paint(canvas.everywhere, cavity.inner, Tissue.VISCERAL_FAT)


def _skin_distance(canvas: Canvas, box: Box, cavity: Cavity, fat_mm: float, uneven: Field) -> Field:
    """Body surface: fat over the muscular wall, a groove at the spine, a flat back."""
    x, y = canvas.x[box], canvas.y[box]
    radius = np.hypot(x, y) + np.float32(1)
    share = np.float32(0.85) + 0.3 * y / radius + 0.3 * (x / radius) ** 2 + 0.06 * uneven[box]
    groove = np.maximum(y, 0) * np.float32(7 / RING_HALF_DEPTH_MM) * np.exp(-((x / 14) ** 2))
    skin = cavity.ring[box] - np.maximum(np.float32(fat_mm) * share, 3) + groove
    flat = y - np.float32(RING_HALF_DEPTH_MM + 0.9 * fat_mm)
    return smooth_maximum(skin, flat, 14.0)


def _paint_fat_planes(canvas: Canvas, cavity: Cavity) -> None:
    """Fat between the oblique muscles of the flank and at the linea alba."""
    box = canvas.box((-400, -130, -170), (-130, 75, 170))
    depth = -cavity.ring[box]
    planes = np.minimum(np.abs(depth - 4), np.abs(depth - 8)) - np.float32(0.45)
    flank = smooth_maximum(planes, 62 - np.abs(canvas.x[box]), 3.0)
    canvas.paint(box, flank, Tissue.SUBCUTANEOUS_FAT)
    side = canvas.box((-130, -10, -170), (400, 100, 170))
    sheet = np.abs(canvas.y[side] * np.float32(0.06) - 4 - cavity.ring[side] * -1) - np.float32(0.5)
    apart = np.maximum(np.maximum(sheet, 75 - np.abs(canvas.x[side])), -5 - canvas.y[side])
    canvas.paint(side, np.maximum(apart, cavity.ring[side]), Tissue.SUBCUTANEOUS_FAT)
    front = canvas.box((-400, -140, -8), (-75, -70, 8))
    seam = np.maximum(np.abs(canvas.x[front]) - 3, cavity.ring[front])
    canvas.paint(front, seam, Tissue.SUBCUTANEOUS_FAT)


def paint_chest(canvas: Canvas, cavity: Cavity, rng: Generator) -> None:
    """Diaphragm, lungs with vessels, heart, esophagus."""
    box = canvas.box((-140, -140, -170), (400, 140, 170))
    if 0 in canvas.x[box].shape:
        return
    inner, dome = cavity.inner[box], cavity.dome[box]
    x, y = canvas.x[box], canvas.y[box]
    muscle = np.maximum(np.abs(dome) - np.float32(1.4), inner)
    canvas.paint(box, muscle, Tissue.DIAPHRAGM)
    mediastinum = np.hypot((x - 6) / np.float32(1.0), (y - 18) / np.float32(2.1)) - 27
    heart_box, heart = ellipsoid(canvas, (32.0, -34.0, 26.0), (47.0, 44.0, 62.0))
    lung = np.maximum(np.maximum(1.4 - dome, inner + 1), -mediastinum)
    canvas.paint(box, lung, Tissue.LUNG)
    _paint_lung_vessels(canvas, cavity, rng)
    canvas.paint(
        heart_box, np.maximum(heart - 5, 1.5 - cavity.dome[heart_box]), Tissue.VISCERAL_FAT
    )
    beating = np.maximum(heart, 3 - cavity.dome[heart_box])
    canvas.paint(heart_box, beating, Tissue.MYOCARDIUM)
    canvas.paint(heart_box, beating + 11, Tissue.HEART)
    path = np.array([[400, 22, 6], [30, 16, 8], [-12, 4, 14], [-34, -2, 26]], float)
    gullet_box, gullet = tube(canvas, path, [8.0, 8.0, 8.5, 9.0])
    canvas.paint(gullet_box, gullet, Tissue.ESOPHAGUS)


def _paint_lung_vessels(canvas: Canvas, cavity: Cavity, rng: Generator) -> None:
    for side in (-1.0, 1.0):
        for _ in range(26):
            start = np.array([rng.uniform(-30, 70), rng.uniform(-20, 50), side * 34])
            spread = np.array([rng.uniform(-60, 10), rng.normal(10, 40), side * 85])
            bend = start + spread * 0.5 + rng.normal(0, 8, 3)
            thick = rng.uniform(1.2, 3.0)
            box, vessel = tube(
                canvas, np.array([start, bend, start + spread]), [thick, 0.7 * thick, 0.6]
            )
            inside = np.maximum(vessel, np.maximum(3 - cavity.dome[box], cavity.inner[box] + 4))
            canvas.paint(box, inside, Tissue.LUNG_VESSEL)


def paint_couch(canvas: Canvas) -> None:
    """A curved carbon couch filled with foam, just below the back."""
    body = np.isin(canvas.primary, (Tissue.SKIN, Tissue.SUBCUTANEOUS_FAT)).any(axis=(0, 2))
    if not body.any():
        return
    lowest_mm = float(canvas.y_mm[np.flatnonzero(body)[-1]])
    y = canvas.y_mm.astype(np.float32)[None, :, None]
    x = canvas.x_mm.astype(np.float32)[None, None, :]
    top = np.float32(lowest_mm + 1.5) - np.float32(1 / 1100.0) * x * x
    outside = np.maximum(np.maximum(top - y, y - np.float32(lowest_mm + 36)), np.abs(x) - 205)
    for box in canvas.slabs():
        free = np.where(canvas.primary[box] == Tissue.AIR, outside, np.float32(FAR_MM))
        canvas.paint(box, free, Tissue.COUCH_SHELL)
        canvas.paint(box, free + np.float32(2.5), Tissue.COUCH_FOAM)
