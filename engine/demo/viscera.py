"""Spleen, kidneys, adrenals, pancreas, stomach and bowel (z, y, x in mm)."""

import numpy as np
from numpy.random import Generator

from engine.demo.canvas import Box, Canvas, Field, smooth_field, smooth_maximum, smooth_minimum
from engine.demo.parameters import PhantomParameters
from engine.demo.shapes import ellipsoid, rounded_path, tube
from engine.demo.tissues import Tissue
from engine.demo.torso import Cavity

KIDNEY_Z_MM = {-1.0: -150.0, 1.0: -138.0}


def kidney(canvas: Canvas, side: float) -> tuple[Box, Field]:
    """Signed distance to a kidney's surface; side -1 is the patient's right."""
    z_mm = KIDNEY_Z_MM[side]
    path = np.array(
        [[z_mm + 30, 46, side * 52], [z_mm, 42, side * 64], [z_mm - 30, 38, side * 66]], float
    )
    return tube(canvas, path, [22.0, 25.5, 22.0], margin_mm=12.0)


def paint_kidneys(canvas: Canvas, cavity: Cavity, rng: Generator) -> None:
    """Cortex, medullary pyramids, sinus fat and pelvis, in perirenal fat."""
    for side in (-1.0, 1.0):
        box, surface = kidney(canvas, side)
        if surface.size == 0:
            continue
        surface = np.maximum(surface, cavity.inner[box] + 6)
        hilum = np.array([[KIDNEY_Z_MM[side], 30.0, side * 38], [KIDNEY_Z_MM[side], 41, side * 60]])
        sinus = _inside(canvas, box, hilum, (13.0, 9.0))
        organ = smooth_maximum(surface, -sinus, 5.0)
        canvas.paint(box, organ, Tissue.RENAL_CORTEX)
        axes = tuple(a[s] for a, s in zip(canvas.axes_mm, box, strict=True))
        pyramids = smooth_maximum(organ + 6.5, 5 * smooth_field(rng, axes, 10.0) - 3, 2.0)
        canvas.paint(box, pyramids, Tissue.RENAL_MEDULLA)
        pelvis = np.array(
            [[KIDNEY_Z_MM[side], 40.0, side * 57], [KIDNEY_Z_MM[side] - 8, 38, side * 42]]
        )
        canvas.paint(*tube(canvas, pelvis, [5.0, 3.5]), Tissue.RENAL_PELVIS)
        gland = np.array(
            [[-104, 40, side * 34], [-112, 34, side * 28], [-120, 40, side * 38]], float
        )
        canvas.paint(*tube(canvas, gland, [1.8, 2.8, 2.0]), Tissue.ADRENAL)


def _inside(canvas: Canvas, box: Box, path: np.ndarray, radii: tuple[float, float]) -> Field:
    """A tube's distance, on a box it does not need to fill."""
    part, distance = tube(canvas, path, list(radii), margin_mm=12.0)
    shape = [s.stop - s.start for s in box]
    whole = np.full(shape, 50, np.float32)
    overlap = [(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(box, part, strict=True)]
    if all(stop > start for start, stop in overlap):
        into = tuple(
            slice(a - s.start, b - s.start) for (a, b), s in zip(overlap, box, strict=True)
        )
        out = tuple(
            slice(a - s.start, b - s.start) for (a, b), s in zip(overlap, part, strict=True)
        )
        whole[into] = distance[out]
    return whole


def spleen(canvas: Canvas, cavity: Cavity, scale: float) -> tuple[Box, Field]:
    """A crescent between the left body wall, the diaphragm and the stomach."""
    box, bulk = ellipsoid(
        canvas, (-78.0, 36.0, 96.0), (50 * scale, 50 * scale, 42 * scale), margin_mm=6.0
    )
    outer = np.maximum(cavity.inner[box] + 1.2, cavity.dome[box] + 2)
    hollow = np.hypot(canvas.x[box] - 52, canvas.y[box] - 4) - np.float32(42)
    return box, smooth_maximum(smooth_maximum(bulk, outer, 8.0), -hollow, 10.0)


def stomach(canvas: Canvas, scale: float) -> tuple[Box, Field]:
    """Fundus under the left dome, body toward the front, antrum across the midline."""
    knots = np.array(
        [
            [-52, 4, 58],
            [-72, -16, 62],
            [-98, -40, 54],
            [-124, -54, 28],
            [-128, -46, 0],
            [-122, -34, -18],
        ],
        float,
    )
    radii = np.array([36.0, 33.0, 28.0, 22.0, 18.0, 11.0]) * scale
    return tube(
        canvas,
        rounded_path(knots, steps=2),
        np.interp(np.arange(11) / 2, np.arange(6), radii).tolist(),
    )


def paint_stomach(
    canvas: Canvas, cavity: Cavity, parameters: PhantomParameters, rng: Generator
) -> None:
    """Wall with folds, fluid, and gas above the fluid level of a supine patient."""
    box, shape = stomach(canvas, parameters.stomach_scale)
    if shape.size == 0:
        return
    shape = np.maximum(shape, np.maximum(cavity.inner[box] + 4, cavity.dome[box] + 3))
    axes = tuple(a[s] for a, s in zip(canvas.axes_mm, box, strict=True))
    canvas.paint(box, shape, Tissue.STOMACH_WALL)
    lumen = shape + np.float32(4) + np.float32(1.6) * smooth_field(rng, axes, 11.0)
    content = Tissue.ORAL_CONTRAST if parameters.oral_contrast else Tissue.FLUID
    canvas.paint(box, lumen, content)
    level_mm = rng.uniform(-52, -28)
    canvas.paint(
        box, np.maximum(lumen, canvas.height_of_liquid(box) - np.float32(level_mm)), Tissue.GAS
    )


def paint_pancreas(canvas: Canvas, rng: Generator) -> None:
    """A lobulated gland from the duodenum to the splenic hilum."""
    knots = np.array(
        [
            [-136, -6, -24],
            [-124, -12, -10],
            [-116, -20, 10],
            [-108, -10, 34],
            [-98, 10, 62],
            [-94, 20, 76],
        ],
        float,
    )
    box, gland = tube(
        canvas,
        rounded_path(knots),
        np.interp(np.arange(21), [0, 6, 10, 20], [13.0, 9.0, 9.0, 8.0]).tolist(),
    )
    if gland.size == 0:
        return
    axes = tuple(a[s] for a, s in zip(canvas.axes_mm, box, strict=True))
    gland += np.float32(2.0) * smooth_field(rng, axes, 7.0)
    canvas.paint(box, gland, Tissue.PANCREAS)


def _paint_bowel(
    canvas: Canvas, cavity: Cavity, path: np.ndarray, radii: list[float], fill: tuple[Tissue, float]
) -> None:
    """Wall, content and gas of one loop; ``fill`` is (content, gas level in y mm)."""
    box, loop = tube(canvas, path, radii)
    if loop.size == 0:
        return
    loop = np.maximum(loop, cavity.inner[box] + 2)
    free = ~np.isin(
        canvas.dominant(box),
        (Tissue.VISCERAL_FAT, Tissue.BOWEL_WALL, Tissue.FLUID, Tissue.FECES, Tissue.GAS),
    )
    loop = np.where(free, np.float32(50), loop)
    canvas.paint(box, loop, Tissue.BOWEL_WALL)
    canvas.paint(box, loop + np.float32(2.2), fill[0])
    canvas.paint(
        box,
        np.maximum(loop + np.float32(2.2), canvas.height_of_liquid(box) - np.float32(fill[1])),
        Tissue.GAS,
    )


def paint_bowel(
    canvas: Canvas, cavity: Cavity, parameters: PhantomParameters, rng: Generator
) -> None:
    """Duodenum, small-bowel loops, and the frame of the colon."""
    for _ in range(13):
        center = np.array([rng.uniform(-235, -165), rng.uniform(-48, -8), rng.uniform(-55, 70)])
        steps = rng.normal(0, 1, (7, 3)) * np.array([16, 12, 22])
        path = rounded_path(center + np.cumsum(steps, axis=0) - steps.sum(axis=0) / 2, steps=3)
        radii = [rng.uniform(8, 13)] * len(path)
        gas_y_mm = rng.uniform(-90, 0) if rng.random() < 0.4 else -200.0
        opaque = parameters.oral_contrast and rng.random() < 0.5
        content = Tissue.ORAL_CONTRAST if opaque else Tissue.FLUID
        _paint_bowel(canvas, cavity, path, radii, (content, gas_y_mm))
    duodenum = np.array(
        [[-120, -30, -24], [-124, -14, -42], [-150, -2, -44], [-170, 2, -28], [-168, 4, 12]], float
    )
    loop = rounded_path(duodenum)
    _paint_bowel(canvas, cavity, loop, [11.0] * len(loop), (Tissue.FLUID, -22.0))
    colon = {
        "ascending": [[-300, 10, -98], [-240, 12, -100], [-190, 8, -94], [-168, -22, -84]],
        "transverse": [
            [-168, -30, -80],
            [-180, -66, -40],
            [-186, -74, 0],
            [-172, -68, 44],
            [-130, -38, 92],
            [-112, -8, 106],
        ],
        "descending": [[-112, -4, 106], [-150, 24, 106], [-200, 26, 104], [-300, 10, 100]],
    }
    for knots in colon.values():
        path = rounded_path(np.array(knots, float) + rng.normal(0, 3, (len(knots), 3)), steps=6)
        width = 19.0 * (1 + 0.16 * np.sin(np.arange(len(path)) * 1.9))
        level = float(rng.uniform(-60, 25))
        _paint_bowel(canvas, cavity, path, width.tolist(), (Tissue.FECES, level))


def paint_spleen(canvas: Canvas, cavity: Cavity, scale: float) -> None:
    """Paint the spleen, ``scale`` times its usual size."""
    canvas.paint(*spleen(canvas, cavity, scale), Tissue.SPLEEN)


def paint_mesentery(canvas: Canvas, cavity: Cavity, rng: Generator) -> None:
    """Small vessels and strands in the mesenteric fat."""
    for _ in range(150):
        start = np.array([rng.uniform(-240, -105), rng.uniform(-55, 10), rng.uniform(-80, 95)])
        end = start + rng.normal(0, 1, 3) * np.array([22, 14, 24])
        box, vessel = tube(canvas, np.array([start, end]), [rng.uniform(0.9, 2.4), 0.8])
        fat = canvas.dominant(box) == Tissue.VISCERAL_FAT
        canvas.paint(box, np.where(fat, vessel, np.float32(9)), Tissue.MESENTERIC_VEIN)


def renal_impression(canvas: Canvas) -> tuple[Box, Field]:
    """The right kidney's surface as the liver feels it."""
    box, surface = kidney(canvas, -1.0)
    return box, smooth_minimum(surface, surface + 1, 2.0)
