"""Assemble one group of CT slices into a Volume, from positions and orientations alone.

Slices are sorted along column × row direction, so the grid is right-handed whatever order
the files came in. The rules for irregular stacks are in ``stacking``.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidGeometryError
from engine.series.grouping import SeriesGroup
from engine.series.pixels import load_hu
from engine.series.planes import Plane, Vector
from engine.series.stacking import SAME_PLACE_MM, SliceMix, Stack, plan_stack
from engine.series.straightening import straighten
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ContrastPhase, ImageReference
from engine.values.volume import Volume


def assemble_volume(
    group: SeriesGroup,
    *,
    phase: ContrastPhase = ContrastPhase.UNKNOWN,
    progress: Callable[[float], None] | None = None,
) -> Volume:
    """Assemble a volume.

    Args:
        group: Slices of one series, sorted along their normal.
        phase: Decided contrast phase, kept in the volume's series.
        progress: Told when pixels are loaded and when the volume is done; may raise to cancel.

    Returns:
        The volume in HU; its grid is the source's own unless a note says otherwise.

    Raises:
        InvalidGeometryError: The slices do not form one regular volume.
        PixelDataError: Pixels are missing, truncated or not decodable.
    """
    report = progress or (lambda _fraction: None)
    planes, notes = _drop_twins(group.planes)
    stack = plan_stack(planes)
    voxels = load_hu(planes)
    report(0.9)
    origin: Vector = planes[0].position_mm
    if stack.shifts_mm is not None:
        voxels, origin = _straighten(voxels, planes[0], stack.shifts_mm)
    if len(stack.mixes) != len(planes) or any(mix.upper_weight for mix in stack.mixes):
        voxels = _mix_slices(voxels, stack.mixes)
    report(1.0)
    return Volume(
        voxels_hu=voxels,
        geometry=_geometry(planes[0], origin, stack, voxels.shape),
        study=group.study,
        series=replace(group.series, phase=phase),
        slice_sources=tuple(_sources(planes, mix) for mix in stack.mixes),
        headers=tuple({id(p.instance): p.instance.header for p in planes}.values()),
        is_source_grid=stack.is_untouched,
        notes=(*group.notes, *notes, *stack.notes),
    )


def _drop_twins(planes: tuple[Plane, ...]) -> tuple[tuple[Plane, ...], tuple[str, ...]]:
    """Keep one slice where several with the same pixels lie at one place.

    Raises:
        InvalidGeometryError: Slices with different pixels lie at one place.
    """
    kept: list[Plane] = []
    for plane in planes:
        if not kept or _distance_mm(kept[-1], plane) > SAME_PLACE_MM:
            kept.append(plane)
            continue
        pair = load_hu([kept[-1], plane])
        if not np.array_equal(pair[0], pair[1]):
            raise InvalidGeometryError(
                f"Images {kept[-1].instance.sop_instance_uid} and "
                f"{plane.instance.sop_instance_uid} lie at one place and differ; "
                "the series mixes two scans"
            )
    dropped = len(planes) - len(kept)
    return tuple(kept), (f"{dropped} duplicate slices dropped",) if dropped else ()


def _distance_mm(one: Plane, other: Plane) -> float:
    offset = np.subtract(other.position_mm, one.position_mm)
    return float(np.linalg.norm(offset))


def _straighten(
    voxels: NDArray[np.int16], first: Plane, shifts_mm: NDArray[np.float64]
) -> tuple[NDArray[np.int16], Vector]:
    straight, (row, column) = straighten(voxels, shifts_mm / [first.row_mm, first.column_mm])
    origin = (
        np.array(first.position_mm)
        + row * first.row_mm * np.array(first.row_direction)
        + column * first.column_mm * np.array(first.column_direction)
    )
    x, y, z = (float(value) for value in origin)
    return straight, (x, y, z)


def _mix_slices(voxels: NDArray[np.int16], mixes: tuple[SliceMix, ...]) -> NDArray[np.int16]:
    output = np.empty((len(mixes), *voxels.shape[1:]), np.int16)
    for index, mix in enumerate(mixes):
        if mix.upper_weight == 0:
            output[index] = voxels[mix.lower]
        else:
            lower = voxels[mix.lower].astype(np.float32)
            upper = voxels[mix.upper].astype(np.float32)
            output[index] = np.rint(lower + mix.upper_weight * (upper - lower))
    return output


def _geometry(first: Plane, origin: Vector, stack: Stack, shape: tuple[int, ...]) -> VolumeGeometry:
    x, y, z = (float(value) for value in first.normal)
    return VolumeGeometry(
        shape=(shape[0], shape[1], shape[2]),
        spacing=VoxelSpacing(
            slice_mm=stack.slice_mm, row_mm=first.row_mm, column_mm=first.column_mm
        ),
        origin_mm=origin,
        slice_direction=(x, y, z),
        row_direction=first.row_direction,
        column_direction=first.column_direction,
        frame_of_reference_uid=first.frame_of_reference_uid,
    )


def _sources(planes: tuple[Plane, ...], mix: SliceMix) -> tuple[ImageReference, ...]:
    """The images behind one slice, nearest first."""
    lower, upper = _reference(planes[mix.lower]), _reference(planes[mix.upper])
    if mix.upper_weight == 0:
        return (lower,)
    return (lower, upper) if mix.upper_weight <= 0.5 else (upper, lower)


def _reference(plane: Plane) -> ImageReference:
    return ImageReference(
        sop_class_uid=plane.instance.sop_class_uid,
        sop_instance_uid=plane.instance.sop_instance_uid,
        frame_number=plane.frame_number,
    )
