"""Aorta, caval, portal and hepatic veins with their branches (z, y, x in mm)."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engine.demo.canvas import Box, Canvas, Field
from engine.demo.liver import PORTA_HEPATIS, liver_box
from engine.demo.shapes import Points, capsule, rounded_path, tube
from engine.demo.tissues import Tissue

Vector = NDArray[np.float64]
CONFLUENCE = np.array([-120.0, 0.0, -6.0])
CAVAL_PATH = np.array(
    [[14, -12, -20], [-14, -4, -22], [-60, 14, -24], [-110, 20, -23], [-400, 24, -20]], float
)
AORTIC_PATH = np.array([[400, 24, 10], [0, 22, 9], [-120, 17, 8], [-220, 18, 5]], float)
PORTAL_TRUNK = np.array([CONFLUENCE, [-100, -1, -22], PORTA_HEPATIS])
PORTAL_ENDS = {
    "right anterior": [[-80, -6, -52], [-74, -20, -72], [-58, -34, -86]],
    "right posterior": [[-80, -6, -52], [-88, 14, -78], [-98, 34, -96]],
    "left lateral": [[-76, -14, -16], [-70, -34, 4], [-58, -44, 34]],
    "left medial": [[-76, -14, -16], [-72, -38, 0], [-66, -60, -22]],
}
HEPATIC_ROOT = [-20, -2, -26]
HEPATIC_ENDS = {
    "right": [[-34, 12, -58], [-62, 22, -88], [-96, 20, -104]],
    "middle": [[-32, -20, -36], [-56, -38, -48], [-84, -48, -58]],
    "left": [[-26, -22, -8], [-38, -40, 14], [-52, -48, 40]],
}


def vena_cava(canvas: Canvas) -> tuple[Box, Field]:
    """Inferior vena cava from the pelvis to the right atrium."""
    return tube(canvas, CAVAL_PATH, [14.0, 13.5, 12.5, 11.5, 10.5])


def paint_great_vessels(canvas: Canvas) -> None:
    """Aorta with its first branches, vena cava, renal and iliac vessels."""
    box, cava = vena_cava(canvas)
    flat = cava + np.clip((-canvas.z[box] - 90) / 40, 0, 1).astype(np.float32) * np.float32(1.5)
    canvas.paint(box, flat, Tissue.CAVA)
    below = np.maximum(flat, canvas.z[box] + 140)
    canvas.paint(box, below, Tissue.INFRARENAL_CAVA)
    for side in (-1.0, 1.0):
        vein = np.array([[-140, 20, 8 + side * 18], [-146, 26, side * 34], [-146, 34, side * 48]])
        canvas.paint(*tube(canvas, vein, [5.0, 5.0, 4.5]), Tissue.CAVA)
        artery = np.array([[-138, 20, 8], [-146, 36, side * 32], [-145, 40, side * 48]], float)
        canvas.paint(*tube(canvas, artery, [3.0, 2.6, 2.2]), Tissue.ARTERY)
        iliac = np.array([[-218, 18, 5], [-250, 26, 5 + side * 24], [-400, 10, side * 55]])
        canvas.paint(*tube(canvas, iliac, [6.5, 6.0, 5.5]), Tissue.AORTA)
    canvas.paint(*tube(canvas, AORTIC_PATH, [12.0, 11.5, 10.0, 8.8]), Tissue.AORTA)
    celiac = np.array([[-96, 12, 7], [-98, -6, 4], [-100, -4, -14], [-92, -6, -28]], float)
    canvas.paint(*tube(canvas, celiac, [3.6, 3.2, 2.6, 2.2]), Tissue.ARTERY)
    splenic = np.array([[-98, -6, 4], [-96, -2, 30], [-94, 14, 58], [-86, 26, 78]], float)
    canvas.paint(*tube(canvas, rounded_path(splenic), [2.6] * 13), Tissue.ARTERY)
    superior = np.array([[-112, 10, 6], [-122, -8, 5], [-230, -22, 4]], float)
    canvas.paint(*tube(canvas, superior, [3.6, 3.4, 2.6]), Tissue.ARTERY)


def paint_portal_tributaries(canvas: Canvas) -> None:
    """Portal trunk, splenic and superior mesenteric veins outside the liver."""
    canvas.paint(*tube(canvas, PORTAL_TRUNK, [7.2, 7.0, 6.4]), Tissue.PORTAL_VEIN)
    splenic = np.array([CONFLUENCE, [-114, -2, 22], [-100, 10, 54], [-88, 24, 80]])
    canvas.paint(*tube(canvas, rounded_path(splenic), [5.4] * 13), Tissue.PORTAL_VEIN)
    superior = np.array([CONFLUENCE, [-160, -14, -8], [-240, -26, -6]])
    canvas.paint(*tube(canvas, superior, [6.2, 5.8, 4.6]), Tissue.PORTAL_VEIN)


def _branches(
    rng: Generator, start: Vector, direction: Vector, size: tuple[float, float, int]
) -> list[tuple[Points, list[float]]]:
    """Grow a random tree; ``size`` is (length mm, radius mm, generations left)."""
    length_mm, radius_mm, generations = size
    if generations == 0 or radius_mm < 0.6:
        return []
    heading = direction / np.linalg.norm(direction)
    bend = start + heading * length_mm * 0.5 + rng.normal(0, length_mm * 0.08, 3)
    end = start + heading * length_mm + rng.normal(0, length_mm * 0.12, 3)
    tree: list[tuple[Points, list[float]]] = [
        (np.array([start, bend]), [radius_mm, radius_mm * 0.92]),
        (np.array([bend, end]), [radius_mm * 0.92, radius_mm * 0.8]),
    ]
    side = np.cross(heading, rng.standard_normal(3))
    side /= np.linalg.norm(side) + 1e-9
    for sign in (-1.0, 1.0):
        turn = heading + sign * side * rng.uniform(0.45, 0.95)
        child = (length_mm * rng.uniform(0.65, 0.85), radius_mm * rng.uniform(0.62, 0.8))
        tree += _branches(rng, end, turn, (*child, generations - 1))
    return tree


def _paint_tree(
    canvas: Canvas, inside: Field, tree: list[tuple[Points, list[float]]], material: Tissue
) -> None:
    frame = liver_box(canvas)
    for ends, radii in tree:
        box, distance = capsule(canvas, ends, radii)
        part = tuple(
            slice(max(b.start, f.start), max(b.start, f.start, min(b.stop, f.stop)))
            for b, f in zip(box, frame, strict=True)
        )
        vessel = distance[
            tuple(
                slice(p.start - b.start, p.stop - b.start) for p, b in zip(part, box, strict=True)
            )
        ]
        parenchyma = inside[
            tuple(
                slice(p.start - f.start, p.stop - f.start) for p, f in zip(part, frame, strict=True)
            )
        ]
        canvas.paint((part[0], part[1], part[2]), np.maximum(vessel, parenchyma + 3), material)


def paint_hepatic_vessels(canvas: Canvas, liver: Field, rng: Generator) -> None:
    """Portal and hepatic venous trees inside the liver (signed distance ``liver``)."""
    for root, ends, radius_mm, material in (
        (PORTA_HEPATIS, PORTAL_ENDS, 5.6, Tissue.PORTAL_VEIN),
        (np.array(HEPATIC_ROOT, float), HEPATIC_ENDS, 5.4, Tissue.HEPATIC_VEIN),
    ):
        for knots in ends.values():
            path = np.array([root, *knots], float) + rng.normal(0, 2.0, (4, 3))
            path[0] = root
            curve = rounded_path(path, steps=3)
            radii = np.linspace(radius_mm, 0.5 * radius_mm, len(curve)).tolist()
            trunk = [(curve[i : i + 2], radii[i : i + 2]) for i in range(len(curve) - 1)]
            for i in range(2, len(curve) - 1, 2):
                heading = rng.standard_normal(3) + 0.5 * (curve[i + 1] - curve[i])
                trunk += _branches(rng, curve[i], heading, (26.0, 0.45 * radii[i], 3))
            tip = curve[-1] - curve[-2]
            trunk += _branches(rng, curve[-1], tip, (24.0, radii[-1] * 0.9, 4))
            _paint_tree(canvas, liver, trunk, material)
