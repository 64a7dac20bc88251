"""Key images: planes of the volume as scenes, shown as radiologists read them.

The patient's right is on the image's left, the head above, whatever the acquisition.
"""

from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.reporting.contours import find_outlines
from engine.reporting.palette import LIVER_RGB, lesion_color
from engine.reporting.scene import (
    PLANE_NAMES,
    Marker,
    MeasuredLine,
    Outline,
    Scene,
    Window,
)
from engine.spatial.orientation import find_axis_order, to_standard_axes
from engine.values.geometry import VolumeGeometry
from engine.values.identity import ContrastPhase
from engine.values.lesion import Diameter, Lesion, LesionFindings
from engine.values.volume import Volume

Scalar = TypeVar("Scalar", bound=np.generic)

BODY_HU = -300
BODY_SHARE = 0.04
BODY_MARGIN_MM = 8.0
OBLIQUE_COSINE = 0.35
BEYOND_EDGE = 3
CLOSE_UP_SHARE = 2.2
CLOSE_UP_MINIMUM_MM = 50.0


def choose_window(phase: ContrastPhase) -> Window:
    """Liver window: narrower and lower without contrast agent."""
    if phase is ContrastPhase.NON_CONTRAST:
        return Window(center_hu=50, width_hu=250)
    return Window(center_hu=90, width_hu=350)


def direction_letters(direction: tuple[float, float, float]) -> str:
    """Patient letters a unit vector points to, strongest first ("L", "LA")."""
    pairs = (("L", "R"), ("P", "A"), ("H", "F"))
    strength = sorted(range(3), key=lambda axis: -abs(direction[axis]))
    return "".join(
        pairs[axis][0 if direction[axis] > 0 else 1]
        for axis in strength
        if abs(direction[axis]) >= OBLIQUE_COSINE
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A volume and its masks turned to (head, posterior, left) axes, without copies.

    Attributes:
        acquired_axis: Standard axis that runs along the acquired slices.
        phase: Contrast phase in words.
        series: "series 4"; empty without a number.
        images: Instance or frame number of each acquired slice in the viewer's order.
    """

    hu: NDArray[np.int16] = field(repr=False)
    liver: NDArray[np.bool_] = field(repr=False)
    lesion_labels: NDArray[np.uint8] = field(repr=False)
    grid: VolumeGeometry
    acquired_axis: int
    window: Window
    lesions: tuple[Lesion, ...] = field(repr=False)
    phase: str = ""
    series: str = ""
    images: tuple[str, ...] = field(default=(), repr=False)

    def name_image(self, axis: int, index: int) -> str:
        """Which image a plane is, for who wants to open it."""
        if axis != self.acquired_axis:
            return ""
        if not self.images:
            return self.series
        return ", ".join(told for told in (self.series, self.images[index]) if told)

    def cut(self, volume: NDArray[Scalar], axis: int, index: int) -> NDArray[Scalar]:
        """One plane of an array of the viewer, head up in coronal and sagittal planes."""
        plane: NDArray[Scalar] = np.moveaxis(volume, axis, 0)[index]
        return plane[::-1] if axis > 0 else plane

    def to_pixel(self, axis: int, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Drop patient points onto a plane: (x, y) of the uncropped plane, shape (n, 2)."""
        index = self.grid.to_index(points_mm)
        rows, columns = (i for i in range(3) if i != axis)
        y = index[..., rows]
        if axis > 0:
            y = self.grid.shape[0] - 1 - y
        return np.stack([index[..., columns], y], -1) + 0.5

    def letters(self, axis: int) -> tuple[str, str, str, str]:
        """Letters at (left, right, top, bottom) of a plane."""
        directions = [tuple(map(float, column)) for column in self.grid.directions.T]
        rows, columns = (i for i in range(3) if i != axis)
        down = np.array(directions[rows]) * (-1.0 if axis > 0 else 1.0)
        across = np.array(directions[columns])
        ends = (-across, across, -down, down)
        left, right, top, bottom = (
            direction_letters((float(e[0]), float(e[1]), float(e[2]))) for e in ends
        )
        return left, right, top, bottom


def open_viewer(volume: Volume, findings: LesionFindings) -> Viewer:
    """Turn volume and masks to reading orientation."""
    grid = volume.geometry
    hu, standard = to_standard_axes(volume.voxels_hu, grid)
    liver, _ = to_standard_axes(findings.liver, grid)
    labels, _ = to_standard_axes(findings.lesion_labels, grid)
    order = find_axis_order(grid)
    acquired_axis = order.source_axes.index(0)
    images = _image_names(volume)
    number = volume.series.series_number
    return Viewer(
        hu=hu,
        liver=liver,
        lesion_labels=labels,
        grid=standard,
        acquired_axis=acquired_axis,
        window=choose_window(volume.series.phase),
        lesions=findings.lesions,
        phase=volume.series.phase.value,
        series="" if number is None else f"series {number}",
        images=images[::-1] if order.flipped[acquired_axis] else images,
    )


def _image_names(volume: Volume) -> tuple[str, ...]:
    """Instance or frame number of each slice's first source; none for a resampled volume."""
    if not volume.is_source_grid:
        return ()
    numbers = {str(h.SOPInstanceUID): h.get("InstanceNumber") for h in volume.headers}
    names = []
    for first, *_ in volume.slice_sources:
        number = numbers.get(first.sop_instance_uid)
        if first.frame_number is not None:
            names.append(f"frame {first.frame_number}")
        else:
            names.append("" if number is None else f"image {number}")
    return tuple(names)


def _longest_run(hits: NDArray[np.bool_]) -> tuple[int, int]:
    """First and last index of the longest run of True; the whole range when there is none."""
    edges = np.flatnonzero(np.diff(np.pad(hits, 1).astype(np.int8)))
    if not edges.size:
        return 0, len(hits) - 1
    starts, ends = edges[::2], edges[1::2]
    best = int((ends - starts).argmax())
    return int(starts[best]), int(ends[best]) - 1


def _body_box(viewer: Viewer, axis: int, hu: NDArray[np.int16]) -> tuple[slice, slice]:
    """Rows and columns that hold the body, with a margin; the scanner's table is cut off."""
    body = hu > BODY_HU
    steps = [s for i, s in enumerate(viewer.grid.spacing.as_tuple()) if i != axis]
    box = []
    for other, step in ((1, steps[0]), (0, steps[1])):
        first, last = _longest_run(body.mean(other) > BODY_SHARE)
        margin = round(BODY_MARGIN_MM / step)
        box.append(slice(max(0, first - margin), min(body.shape[1 - other], last + margin + 1)))
    return box[0], box[1]


def _outlines(
    liver: NDArray[np.bool_], labels: NDArray[np.uint8], box: tuple[slice, slice]
) -> tuple[Outline, ...]:
    """Outlines in a box of a plane; one that leaves it is followed a little beyond its edge.

    Otherwise an organ that the box cuts through would seem to end there.
    """
    top, left = (max(0, part.start - BEYOND_EDGE) for part in box)
    wide = (slice(top, box[0].stop + BEYOND_EDGE), slice(left, box[1].stop + BEYOND_EDGE))
    liver, labels = liver[wide], labels[wide]
    found = [(find_outlines(liver), LIVER_RGB, False)]
    for number in np.unique(labels[labels > 0]).tolist():
        found.append((find_outlines(labels == number), lesion_color(number), True))
    shift = 0.5 - np.array([box[1].start - left, box[0].start - top], np.float64)
    return tuple(
        Outline(points=line[:, ::-1] + shift, rgb=rgb, is_lesion=is_lesion)
        for lines, rgb, is_lesion in found
        for line in lines
    )


def _markers(labels: NDArray[np.uint8]) -> tuple[Marker, ...]:
    markers = []
    for number in np.unique(labels[labels > 0]).tolist():
        rows, columns = np.nonzero(labels == number)
        at = (float(columns.max()) + 1.0, float(rows.min()))
        markers.append(Marker(at=at, label=str(number), rgb=lesion_color(number)))
    return tuple(markers)


def make_scene(
    viewer: Viewer,
    axis: int,
    index: int,
    *,
    measured: tuple[Diameter, ...] = (),
    box: tuple[slice, slice] | None = None,
) -> Scene:
    """One plane of the volume with outlines, and diameters where given.

    Args:
        viewer: The turned volume.
        axis: 0 axial, 1 coronal, 2 sagittal.
        index: Plane number along that axis.
        measured: Diameters to draw; their lengths become labels.
        box: Rows and columns to show; the body when None.
    """
    hu = viewer.cut(viewer.hu, axis, index)
    rows, columns = box or _body_box(viewer, axis, hu)
    liver = viewer.cut(viewer.liver, axis, index)
    labels = viewer.cut(viewer.lesion_labels, axis, index)
    offset = (float(columns.start), float(rows.start))
    lines = tuple(_line(viewer, axis, diameter, offset) for diameter in measured)
    steps = [s for i, s in enumerate(viewer.grid.spacing.as_tuple()) if i != axis]
    middle = (np.array(viewer.grid.shape) - 1) / 2
    middle[axis] = index
    position = viewer.grid.to_patient(middle)[2 - axis]
    return Scene(
        gray=viewer.window.apply(hu[rows, columns]),
        row_mm=steps[0],
        column_mm=steps[1],
        letters=viewer.letters(axis),
        plane=PLANE_NAMES[axis],
        position_mm=float(position),
        acquired=axis == viewer.acquired_axis,
        window=viewer.window,
        phase=viewer.phase,
        image=viewer.name_image(axis, index),
        outlines=_outlines(liver, labels, (rows, columns)),
        lines=lines,
        markers=_markers(labels[rows, columns]),
    )


def _line(
    viewer: Viewer, axis: int, diameter: Diameter, offset: tuple[float, float]
) -> MeasuredLine:
    ends = viewer.to_pixel(axis, np.array(diameter.ends_mm)) - np.array(offset)
    (x0, y0), (x1, y1) = ends.tolist()
    return MeasuredLine(start=(x0, y0), end=(x1, y1), label=f"{diameter.length_mm:.1f} mm")


def _measured_plane(viewer: Viewer, lesion: Lesion) -> tuple[int, tuple[int, int, int]]:
    """Axis of the plane a lesion was measured on, and plane numbers through the lesion.

    The measured plane is an acquired slice, except in a coronal or sagittal stack, where
    diameters are taken in the axial plane across the slices.
    """
    ends = viewer.grid.to_index(np.array(lesion.long_axis.ends_mm))
    on_slice = ends.mean(0)
    main = viewer.acquired_axis
    if lesion.long_axis.slice_index is None:
        main = int(np.abs(ends[1] - ends[0]).argmin())
    center = viewer.grid.to_index(np.array(lesion.centroid_mm))
    limits = np.array(viewer.grid.shape) - 1
    at = np.clip(np.round(center), 0, limits).astype(int)
    at[main] = int(np.clip(round(float(on_slice[main])), 0, limits[main]))
    return main, (int(at[0]), int(at[1]), int(at[2]))


def lesion_scenes(viewer: Viewer, lesion: Lesion) -> tuple[Scene, Scene, Scene]:
    """The measured plane of a lesion whole, then the two other planes through its centroid."""
    main, at = _measured_plane(viewer, lesion)
    first, second, third = (
        make_scene(viewer, axis, at[axis])
        for axis in (main, *(axis for axis in range(3) if axis != main))
    )
    return first, second, third


def lesion_close_up(viewer: Viewer, lesion: Lesion) -> Scene:
    """A lesion alone on its measured plane, with its diameters: a square around their middle."""
    main, at = _measured_plane(viewer, lesion)
    size_mm = max(CLOSE_UP_SHARE * lesion.long_axis.length_mm, CLOSE_UP_MINIMUM_MM)
    ends = viewer.to_pixel(main, np.array(lesion.long_axis.ends_mm))
    x, y = ends.mean(0).tolist()
    steps = [s for i, s in enumerate(viewer.grid.spacing.as_tuple()) if i != main]
    shape = [n for i, n in enumerate(viewer.grid.shape) if i != main]
    rows, columns = (
        slice(max(0, round(middle - half)), min(count, round(middle + half) + 1))
        for middle, half, count in (
            (y, size_mm / 2 / steps[0], shape[0]),
            (x, size_mm / 2 / steps[1], shape[1]),
        )
    )
    measured = (lesion.long_axis, lesion.short_axis)
    scene = make_scene(viewer, main, at[main], measured=measured, box=(rows, columns))
    others = tuple(m for m in scene.markers if m.label != str(lesion.number))
    return replace(scene, markers=others)


def liver_scenes(viewer: Viewer) -> tuple[Scene, Scene, Scene]:
    """Three planes through the liver where it is largest; the acquired one first."""
    main = viewer.acquired_axis
    scenes = []
    for axis in (main, *(i for i in range(3) if i != main)):
        others = tuple(i for i in range(3) if i != axis)
        area = np.count_nonzero(viewer.liver, axis=others)
        scenes.append(make_scene(viewer, axis, int(area.argmax())))
    return scenes[0], scenes[1], scenes[2]
