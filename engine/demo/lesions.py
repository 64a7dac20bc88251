"""Tumors and cysts of the phantom: placing, growing, painting."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engine.demo.canvas import Box, Canvas, Field, smooth_field
from engine.demo.liver import LIVER_HIGH_MM, LIVER_LOW_MM, liver_box
from engine.demo.parameters import LesionParameters, PhantomParameters
from engine.demo.tissues import LesionPart, Tissue, lesion_material

GAP_MM = 7.0
TRIES = 6000


@dataclass(frozen=True, slots=True)
class GrownLesion:
    """A lesion on the canvas.

    Attributes:
        number: From 1, in the order of the parameters, without gaps.
        design: What it was grown from.
        center_mm: Patient coordinates (z, y, x) it was grown around.
        box: Part of the canvas that holds it.
        distance_mm: Signed distance to its surface on ``box``, negative inside.
    """

    number: int
    design: LesionParameters
    center_mm: tuple[float, float, float]
    box: Box
    distance_mm: Field


def place_spheres(
    canvas: Canvas, liver: Field, diameters_mm: list[float], rng: Generator
) -> list[NDArray[np.float64] | None]:
    """Find a center inside the liver for each sphere, larger ones first.

    Spheres keep apart from each other; a sphere may touch the capsule with up to a
    fifth of its radius cut off. A sphere that fits nowhere gets None.

    Args:
        canvas: Gives the grid.
        liver: Signed distance to the liver's surface on the liver's box.
        diameters_mm: Of the spheres.
        rng: Source of the places.

    Returns:
        Patient coordinates (z, y, x) in mm, in the order of ``diameters_mm``.
    """
    frame = liver_box(canvas)
    axes = [a[s] for a, s in zip(canvas.axes_mm, frame, strict=True)]
    centers: list[NDArray[np.float64] | None] = [None] * len(diameters_mm)
    if liver.size == 0:
        return centers
    low_mm, high_mm = (np.array([axis[end] for axis in axes]) for end in (0, -1))
    step_mm = np.array([axis[1] - axis[0] for axis in canvas.axes_mm])
    taken: list[tuple[NDArray[np.float64], float]] = []
    for index in np.argsort(diameters_mm, kind="stable")[::-1]:
        radius_mm = diameters_mm[index] / 2
        points = rng.uniform(LIVER_LOW_MM, LIVER_HIGH_MM, (TRIES, 3)) * canvas.scale
        points = points[((points >= low_mm) & (points <= high_mm)).all(axis=1)]
        at = np.rint((points - low_mm) / step_mm).astype(int)
        depth = liver[tuple(at.T)]
        for center in points[depth < -0.8 * radius_mm - 4]:
            if all(np.linalg.norm(center - c) > r + radius_mm + GAP_MM for c, r in taken):
                taken.append((center, radius_mm))
                centers[index] = center
                break
    return centers


def _patient_box(canvas: Canvas, center: NDArray[np.float64], reach_mm: float) -> Box:
    slices = [
        slice(
            int(np.searchsorted(axis, middle - reach_mm)),
            int(np.searchsorted(axis, middle + reach_mm, "right")),
        )
        for axis, middle in zip(canvas.axes_mm, center, strict=True)
    ]
    return (slices[0], slices[1], slices[2])


def _within_frame(box: Box, frame: Box) -> tuple[Box, Box]:
    """The part of a box inside the frame, and the same part as seen from the frame."""
    cut = [
        slice(max(b.start, f.start), min(b.stop, f.stop)) for b, f in zip(box, frame, strict=True)
    ]
    seen = [slice(c.start - f.start, c.stop - f.start) for c, f in zip(cut, frame, strict=True)]
    return (cut[0], cut[1], cut[2]), (seen[0], seen[1], seen[2])


def _radius_at(canvas: Canvas, box: Box, center: NDArray[np.float64]) -> Field:
    z, y, x = (
        (axis[s] - middle).astype(np.float32)
        for axis, s, middle in zip(canvas.axes_mm, box, center, strict=True)
    )
    return np.asarray(
        np.sqrt(z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2)
    )


def grow_lesion(
    canvas: Canvas,
    liver: Field,
    lesion: LesionParameters,
    placed: tuple[int, NDArray[np.float64]],
    rng: Generator,
) -> GrownLesion:
    """Grow one lobulated lesion around its center and paint its parts.

    Args:
        canvas: Painted with viable tumor, necrosis and capsule.
        liver: Signed distance to the liver's surface; the lesion stays inside.
        lesion: What to grow.
        placed: Number of the lesion and its center (z, y, x) in mm.
        rng: Source of the lobulation.
    """
    number, center = placed
    radius_mm = lesion.diameter_mm / 2
    reach_mm = radius_mm * (1 + 3.5 * lesion.lobulation) + 3
    box, seen = _within_frame(_patient_box(canvas, center, reach_mm), liver_box(canvas))
    axes = tuple(a[s] - m for a, s, m in zip(canvas.axes_mm, box, center, strict=True))
    lobes = smooth_field(rng, axes, max(0.55 * radius_mm, 4.0), reach_mm=reach_mm)
    radius = _radius_at(canvas, box, center)
    bumps = np.clip(1 + np.float32(lesion.lobulation) * lobes, 0.6, 1.5)
    surface = np.maximum(radius - np.float32(radius_mm) * bumps, liver[seen] + np.float32(0.6))
    if lesion.capsule_mm > 0:
        canvas.paint(box, surface, lesion_material(number, LesionPart.CAPSULE))
    viable = surface + np.float32(lesion.capsule_mm)
    canvas.paint(box, viable, lesion_material(number, LesionPart.VIABLE))
    if lesion.necrosis > 0:
        ragged = smooth_field(rng, axes, max(0.3 * radius_mm, 3.0), reach_mm=reach_mm)
        core = radius - np.float32(radius_mm * lesion.necrosis) * (1 + np.float32(0.22) * ragged)
        core = np.maximum(core, viable + 2)
        canvas.paint(box, core, lesion_material(number, LesionPart.NECROSIS))
    z, y, x = (float(c) for c in center)
    return GrownLesion(number, lesion, (z, y, x), box, surface)


def paint_lesions(
    canvas: Canvas, liver: Field, parameters: PhantomParameters, rng: Generator
) -> tuple[GrownLesion, ...]:
    """Place and paint cysts and tumors; a tumor that fits nowhere is left out."""
    diameters = [lesion.diameter_mm for lesion in parameters.lesions]
    cysts = list(parameters.cyst_diameters_mm)
    centers = place_spheres(canvas, liver, [*diameters, *cysts], rng)
    for diameter_mm, center in zip(cysts, centers[len(diameters) :], strict=True):
        if center is not None:
            box = _patient_box(canvas, center, diameter_mm / 2 + 3)
            sphere = _radius_at(canvas, box, center) - np.float32(diameter_mm / 2)
            canvas.paint(box, sphere, Tissue.CYST)
    grown: list[GrownLesion] = []
    for lesion, center in zip(parameters.lesions, centers[: len(diameters)], strict=True):
        if center is not None:
            number = len(grown) + 1
            grown.append(grow_lesion(canvas, liver, lesion, (number, center), rng))
    return tuple(grown)
