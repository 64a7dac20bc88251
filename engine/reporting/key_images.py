"""Key images as scenes: a windowed plane, outlines, diameters, orientation.

A scene knows no drawing library. Secondary Capture draws it with Pillow, the PDF as vectors
over a gray raster, so both show the same lines at the same millimeters. Planes are shown as
radiologists read them: the patient's right on the image's left.
"""

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.reporting.contours import find_outlines
from engine.reporting.palette import LIVER_RGB, Rgb, lesion_color
from engine.spatial.orientation import find_axis_order, to_standard_axes
from engine.values.geometry import VolumeGeometry
from engine.values.identity import ContrastPhase
from engine.values.lesion import Diameter, Lesion, LesionFindings
from engine.values.volume import Volume

Scalar = TypeVar("Scalar", bound=np.generic)

PLANE_NAMES = ("axial", "coronal", "sagittal")
BODY_HU = -300
BODY_SHARE = 0.04
BODY_MARGIN_MM = 8.0
OBLIQUE_COSINE = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Gray level window in HU."""

    center_hu: float
    width_hu: float

    def apply(self, hu: NDArray[np.int16]) -> NDArray[np.uint8]:
        """Map intensities to 0..255."""
        low = self.center_hu - self.width_hu / 2
        scaled = (hu.astype(np.float32) - low) * (255.0 / self.width_hu)
        return np.asarray(np.clip(scaled, 0, 255), np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Closed line around an organ or lesion, (x, y) in pixels of the scene."""

    points: NDArray[np.float64] = field(repr=False)
    rgb: Rgb
    is_lesion: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLine:
    """A diameter between two (x, y) points, with its label."""

    start: tuple[float, float]
    end: tuple[float, float]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A lesion's number beside its outline, at (x, y)."""

    at: tuple[float, float]
    label: str
    rgb: Rgb


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One plane ready to be drawn; the origin is the top left corner of its first pixel.

    Attributes:
        gray: Windowed intensities, shape (rows, columns), uint8.
        row_mm, column_mm: Size of a pixel.
        letters: Patient directions at (left, right, top, bottom) of the image.
        plane: "axial", "coronal" or "sagittal", the nearest to the plane shown.
        position_mm: Position along the plane's patient axis at the image center.
        acquired: Whether the plane is an acquired slice (not a reformat).
    """

    gray: NDArray[np.uint8] = field(repr=False)
    row_mm: float
    column_mm: float
    letters: tuple[str, str, str, str]
    plane: str
    position_mm: float
    acquired: bool
    window: Window
    outlines: tuple[Outline, ...] = ()
    lines: tuple[MeasuredLine, ...] = ()
    markers: tuple[Marker, ...] = ()

    @property
    def size_mm(self) -> tuple[float, float]:
        """(width, height) of the scene in patient millimeters."""
        return self.gray.shape[1] * self.column_mm, self.gray.shape[0] * self.row_mm

    @property
    def caption(self) -> str:
        """Plane, position and window in one line."""
        axis = "ZYX"[PLANE_NAMES.index(self.plane)]
        kind = "" if self.acquired else " reformat"
        return (
            f"{self.plane.capitalize()}{kind}  {axis} {self.position_mm:+.1f} mm  "
            f"W {self.window.width_hu:.0f} / L {self.window.center_hu:.0f} HU"
        )


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
    """

    hu: NDArray[np.int16] = field(repr=False)
    liver: NDArray[np.bool_] = field(repr=False)
    lesion_labels: NDArray[np.uint8] = field(repr=False)
    grid: VolumeGeometry
    acquired_axis: int
    window: Window
    lesions: tuple[Lesion, ...] = field(repr=False)

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
    return Viewer(
        hu=hu,
        liver=liver,
        lesion_labels=labels,
        grid=standard,
        acquired_axis=find_axis_order(grid).source_axes.index(0),
        window=choose_window(volume.series.phase),
        lesions=findings.lesions,
    )


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


def _outlines(liver: NDArray[np.bool_], labels: NDArray[np.uint8]) -> tuple[Outline, ...]:
    found = [(find_outlines(liver), LIVER_RGB, False)]
    for number in np.unique(labels[labels > 0]).tolist():
        found.append((find_outlines(labels == number), lesion_color(number), True))
    return tuple(
        Outline(points=line[:, ::-1] + 0.5, rgb=rgb, is_lesion=is_lesion)
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
    viewer: Viewer, axis: int, index: int, *, measured: tuple[Diameter, ...] = ()
) -> Scene:
    """One plane of the volume with outlines, and diameters where given.

    Args:
        viewer: The turned volume.
        axis: 0 axial, 1 coronal, 2 sagittal.
        index: Plane number along that axis.
        measured: Diameters to draw; their lengths become labels.
    """
    hu = viewer.cut(viewer.hu, axis, index)
    rows, columns = _body_box(viewer, axis, hu)
    liver = viewer.cut(viewer.liver, axis, index)[rows, columns]
    labels = viewer.cut(viewer.lesion_labels, axis, index)[rows, columns]
    offset = (float(columns.start), float(rows.start))
    lines = []
    for diameter in measured:
        ends = viewer.to_pixel(axis, np.array(diameter.ends_mm)) - np.array(offset)
        (x0, y0), (x1, y1) = ends.tolist()
        lines.append(
            MeasuredLine(start=(x0, y0), end=(x1, y1), label=f"{diameter.length_mm:.1f} mm")
        )
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
        outlines=_outlines(liver, labels),
        lines=tuple(lines),
        markers=_markers(labels),
    )


def lesion_scenes(viewer: Viewer, lesion: Lesion) -> tuple[Scene, Scene, Scene]:
    """The measured plane of a lesion, then the two other planes through its centroid.

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
    first = make_scene(viewer, main, int(at[main]), measured=(lesion.long_axis, lesion.short_axis))
    second, third = (make_scene(viewer, axis, int(at[axis])) for axis in range(3) if axis != main)
    return first, second, third


def liver_scenes(viewer: Viewer) -> tuple[Scene, Scene, Scene]:
    """Three planes through the liver where it is largest; the acquired one first."""
    main = viewer.acquired_axis
    scenes = []
    for axis in (main, *(i for i in range(3) if i != main)):
        others = tuple(i for i in range(3) if i != axis)
        area = np.count_nonzero(viewer.liver, axis=others)
        scenes.append(make_scene(viewer, axis, int(area.argmax())))
    return scenes[0], scenes[1], scenes[2]
