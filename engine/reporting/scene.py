"""A key image as a value: a windowed plane, outlines, diameters, orientation.

A scene knows no drawing library. Secondary Capture draws it with Pillow, the PDF as vectors
over a gray raster, so both show the same lines at the same millimeters.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.reporting.palette import Rgb

PLANE_NAMES = ("axial", "coronal", "sagittal")


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
        phase: Contrast phase of the images shown.
        image: "series 4, image 74" of an acquired slice; empty for a reformat.
    """

    gray: NDArray[np.uint8] = field(repr=False)
    row_mm: float
    column_mm: float
    letters: tuple[str, str, str, str]
    plane: str
    position_mm: float
    acquired: bool
    window: Window
    phase: str = ""
    image: str = ""
    outlines: tuple[Outline, ...] = ()
    lines: tuple[MeasuredLine, ...] = ()
    markers: tuple[Marker, ...] = ()

    @property
    def size_mm(self) -> tuple[float, float]:
        """(width, height) of the scene in patient millimeters."""
        return self.gray.shape[1] * self.column_mm, self.gray.shape[0] * self.row_mm

    @property
    def caption(self) -> tuple[str, str]:
        """Where the plane lies and which image it is; phase and window."""
        axis = "ZYX"[PLANE_NAMES.index(self.plane)]
        kind = "" if self.acquired else " reformat"
        place = f"{self.plane.capitalize()}{kind}, {axis} {self.position_mm:+.1f} mm"
        window = f"W {self.window.width_hu:.0f} L {self.window.center_hu:.0f} HU"
        return (
            ", ".join(told for told in (place, self.image) if told),
            ", ".join(told for told in (self.phase, window) if told),
        )
