"""A parametric abdomen from the lower chest to the upper pelvis."""

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engine.demo import skeleton, torso, vessels, viscera
from engine.demo.canvas import Canvas, Field, fine_texture, smooth_field
from engine.demo.grids import Axes, canvas_axis_mm, grid_axes_mm, phantom_geometry
from engine.demo.interpolation import interpolate_linearly
from engine.demo.lesions import GrownLesion, paint_lesions
from engine.demo.liver import carve, carve_hilum, liver_box, liver_distance, paint_liver
from engine.demo.parameters import LesionParameters, PhantomParameters
from engine.demo.tissues import FIRST_LESION_MATERIAL, Tissue
from engine.values.geometry import VolumeGeometry
from engine.values.segmentation import LIVER_LABEL, TUMOR_LABEL

TEXTURE_STEPS_PER_SD = 32.0
COARSE_TEXTURE_MM = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomLesion:
    """Truth about one tumor.

    Attributes:
        number: Its value in ``Phantom.lesion_labels``, from 1.
        design: What it was grown from.
        center_mm: LPS position (x, y, z) it was grown around.
        volume_ml: Voxel count times voxel volume.
    """

    number: int
    design: LesionParameters
    center_mm: tuple[float, float, float]
    volume_ml: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Phantom:
    """A patient on a voxel grid, ready to be rendered in any contrast phase.

    Attributes:
        geometry: Axial grid, slice 0 lowest, LPS.
        labels: Tissue of each voxel (``Tissue`` values, tumors as TUMOR); uint8.
        liver: The liver as an organ: parenchyma, vessels inside, cysts, tumors; bool.
        lesion_labels: 0 or the lesion's number; uint8.
        lesions: Truth about each tumor, by number.
        canvas_axes_mm: Patient coordinates (z, y, x) of the material mixture below.
        primary, secondary, weight: Two materials per canvas voxel, and the share of the
            first × 255; uint8.
        fine_texture, coarse_texture: Smooth unit noise × TEXTURE_STEPS_PER_SD; int8.
    """

    parameters: PhantomParameters
    geometry: VolumeGeometry
    labels: NDArray[np.uint8] = field(repr=False)
    liver: NDArray[np.bool_] = field(repr=False)
    lesion_labels: NDArray[np.uint8] = field(repr=False)
    lesions: tuple[PhantomLesion, ...]
    canvas_axes_mm: Axes = field(repr=False)
    primary: NDArray[np.uint8] = field(repr=False)
    secondary: NDArray[np.uint8] = field(repr=False)
    weight: NDArray[np.uint8] = field(repr=False)
    fine_texture: NDArray[np.int8] = field(repr=False)
    coarse_texture: NDArray[np.int8] = field(repr=False)

    @property
    def segmentation_labels(self) -> NDArray[np.uint8]:
        """0 background, 1 liver without tumors, 2 tumor, as in values.Segmentation."""
        labels = np.where(self.lesion_labels > 0, TUMOR_LABEL, LIVER_LABEL * self.liver)
        return np.asarray(labels, np.uint8)


def _paint_patient(
    canvas: Canvas, parameters: PhantomParameters, rng: Generator
) -> tuple[Field, tuple[GrownLesion, ...]]:
    """Paint everything; returns the liver's signed distance and the lesions."""
    cavity = torso.cavity_of(canvas, parameters)
    torso.paint_body_wall(canvas, cavity, parameters, rng)
    torso.paint_chest(canvas, cavity, rng)
    skeleton.paint_muscles(canvas)
    skeleton.paint_ribs(canvas, cavity)
    skeleton.paint_rib_necks(canvas)
    skeleton.paint_sternum(canvas, cavity)
    skeleton.paint_pelvis(canvas, cavity)
    skeleton.paint_spine(canvas)
    viscera.paint_mesentery(canvas, cavity, rng)
    vessels.paint_great_vessels(canvas)
    viscera.paint_spleen(canvas, cavity, parameters.spleen_scale)
    viscera.paint_kidneys(canvas, cavity, rng)
    viscera.paint_pancreas(canvas, rng)
    viscera.paint_stomach(canvas, cavity, parameters, rng)
    vessels.paint_portal_tributaries(canvas)
    gap_mm = parameters.gap_mm
    liver = liver_distance(canvas, cavity, parameters, rng)
    liver = carve(canvas, liver, viscera.renal_impression(canvas), 1.0 + gap_mm)
    liver = carve(canvas, liver, viscera.stomach(canvas, parameters.stomach_scale), gap_mm)
    liver = carve(canvas, liver, viscera.spleen(canvas, cavity, parameters.spleen_scale), gap_mm)
    liver = carve(canvas, liver, vessels.vena_cava(canvas), 0.6)
    liver = carve_hilum(canvas, liver, rng)
    paint_liver(canvas, liver)
    vessels.paint_hepatic_vessels(canvas, liver, rng)
    lesions = paint_lesions(canvas, liver, parameters, rng)
    viscera.paint_bowel(canvas, cavity, parameters, rng)
    torso.paint_couch(canvas)
    return liver, lesions


def _on_grid(
    source: Axes, box: tuple[slice, slice, slice], distance_mm: Field, target: Axes
) -> tuple[tuple[slice, slice, slice], NDArray[np.bool_]]:
    """Where a canvas shape is negative on the target grid: (target box, inside)."""
    if distance_mm.size == 0:
        nowhere = slice(0, 0)
        return (nowhere, nowhere, nowhere), np.zeros((0, 0, 0), bool)
    parts, shape = [], distance_mm
    for axis, (source_mm, cut, wanted_mm) in enumerate(zip(source, box, target, strict=True)):
        piece = source_mm[cut]
        part = slice(
            int(np.searchsorted(wanted_mm, piece[0])),
            int(np.searchsorted(wanted_mm, piece[-1], "right")),
        )
        parts.append(part)
        shape = interpolate_linearly(shape, piece, wanted_mm[part], axis)
    return (parts[0], parts[1], parts[2]), np.asarray(shape < 0)


def _nearest(volume: NDArray[np.uint8], source: Axes, target: Axes) -> NDArray[np.uint8]:
    picks = [
        np.clip(np.rint((t - s[0]) / (s[1] - s[0])).astype(int), 0, len(s) - 1)
        for s, t in zip(source, target, strict=True)
    ]
    return np.asarray(volume[np.ix_(*picks)], np.uint8)


def _truth(
    canvas: Canvas, liver: Field, grown: tuple[GrownLesion, ...], geometry: VolumeGeometry
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint8]]:
    """Labels, liver mask and lesion numbers on the target grid."""
    target = grid_axes_mm(geometry)
    materials = canvas.dominant(canvas.everywhere)
    materials[materials >= FIRST_LESION_MATERIAL] = Tissue.LIVER
    labels = _nearest(materials, canvas.axes_mm, target)
    organ = np.zeros(geometry.shape, bool)
    box, inside = _on_grid(canvas.axes_mm, liver_box(canvas), liver, target)
    organ[box] = inside
    lesion_labels = np.zeros(geometry.shape, np.uint8)
    for lesion in grown:
        box, inside = _on_grid(canvas.axes_mm, lesion.box, lesion.distance_mm, target)
        lesion_labels[box][inside & organ[box]] = lesion.number
    np.copyto(labels, np.uint8(Tissue.TUMOR), where=lesion_labels > 0)
    return labels, organ, lesion_labels


def build_phantom(
    parameters: PhantomParameters,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
) -> Phantom:
    """Build one patient on a grid of any size.

    Args:
        parameters: Who to build; equal parameters and grids give equal phantoms.
        shape: Voxels along slice, row, column.
        spacing_mm: Distances along slice, row, column.

    Returns:
        The phantom with its truth on the grid of ``phantom_geometry``.
    """
    geometry = phantom_geometry(parameters, shape, spacing_mm)
    axes = [
        canvas_axis_mm(axis, step)
        for axis, step in zip(grid_axes_mm(geometry), spacing_mm, strict=True)
    ]
    rng = np.random.default_rng([parameters.seed, 0x5048])
    scale = (parameters.height_scale, parameters.depth_scale, parameters.width_scale)
    canvas = Canvas((axes[0], axes[1], axes[2]), scale, parameters.warp_mm, rng)
    liver, grown = _paint_patient(canvas, parameters, rng)
    coarse = smooth_field(rng, canvas.axes_mm, COARSE_TEXTURE_MM) * TEXTURE_STEPS_PER_SD
    fine = fine_texture(rng, canvas.primary.shape, canvas.voxel_mm) * TEXTURE_STEPS_PER_SD
    labels, organ, lesion_labels = _truth(canvas, liver, grown, geometry)
    return Phantom(
        parameters=parameters,
        geometry=geometry,
        labels=labels,
        liver=organ,
        lesion_labels=lesion_labels,
        lesions=_describe(grown, lesion_labels, geometry),
        canvas_axes_mm=canvas.axes_mm,
        primary=canvas.primary,
        secondary=canvas.secondary,
        weight=canvas.weight,
        fine_texture=np.clip(fine, -127, 127).astype(np.int8),
        coarse_texture=np.clip(coarse, -127, 127).astype(np.int8),
    )


def _describe(
    grown: tuple[GrownLesion, ...],
    lesion_labels: NDArray[np.uint8],
    geometry: VolumeGeometry,
) -> tuple[PhantomLesion, ...]:
    voxels = np.bincount(lesion_labels.ravel(), minlength=len(grown) + 1)
    return tuple(
        PhantomLesion(
            number=lesion.number,
            design=lesion.design,
            center_mm=lesion.center_mm[::-1],
            volume_ml=float(voxels[lesion.number] * geometry.spacing.voxel_ml),
        )
        for lesion in grown
    )
