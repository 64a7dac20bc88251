"""A small abdomen defined in patient space (LPS, mm) and sampled on any grid.

Because organs are functions of patient position, every orientation of the grid shows the
same patient: the liver on the patient's right, the spine behind, two lesions at known places.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.values.geometry import VolumeGeometry, VoxelSpacing

LIVER_CENTER_MM = (-55.0, -10.0, 0.0)
LIVER_RADII_MM = (75.0, 60.0, 40.0)
SMALL = 2.0
ORIENTATIONS = ("axial", "reversed", "coronal", "coronal reversed", "sagittal", "oblique")


@dataclass(frozen=True)
class Ball:
    """One spherical lesion of the phantom."""

    center_mm: tuple[float, float, float]
    radius_mm: float
    hu: int


TWO_LESIONS = (
    Ball(center_mm=(-70.0, -15.0, 3.0), radius_mm=16.0, hu=62),
    Ball(center_mm=(-25.0, -25.0, -12.0), radius_mm=9.0, hu=70),
)

DIRECTIONS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "axial": ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    "reversed": ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    "coronal": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
    "coronal reversed": ((0, -1, 0), (0, 0, -1), (1, 0, 0)),
    "sagittal": ((-1, 0, 0), (0, 0, -1), (0, 1, 0)),
}


def _oblique() -> tuple[tuple[float, float, float], ...]:
    a, b = np.deg2rad(12.0), np.deg2rad(8.0)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    turned = about_x @ about_y
    column, row = turned[:, 0], turned[:, 1]
    return tuple(tuple(map(float, v)) for v in (np.cross(column, row), row, column))


def make_grid(orientation: str = "axial", pixel_mm: float = SMALL) -> VolumeGeometry:
    """A grid around the phantom's center; 3 mm slices, 310 × 250 × 96 mm when axial."""
    directions = _oblique() if orientation == "oblique" else DIRECTIONS[orientation]
    slice_mm = 3.0
    extents = np.array([310.0, 250.0, 96.0])
    steps = (slice_mm, pixel_mm, pixel_mm)
    axes = np.abs(np.array(directions))
    shape = tuple(
        int(np.ceil((axis @ extents) / step)) for axis, step in zip(axes, steps, strict=True)
    )
    half = sum(
        np.array(d) * step * (n - 1) / 2
        for d, step, n in zip(directions, steps, shape, strict=True)
    )
    origin = np.round(np.array([0.0, 15.0, 0.0]) - half, 4)
    return VolumeGeometry(
        shape=(shape[0], shape[1], shape[2]),
        spacing=VoxelSpacing(slice_mm=slice_mm, row_mm=pixel_mm, column_mm=pixel_mm),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        slice_direction=directions[0],
        row_direction=directions[1],
        column_direction=directions[2],
        frame_of_reference_uid="2.25.314159265358979",
    )


def _ellipsoid(
    points: NDArray[np.float64], center: tuple[float, ...], radii: tuple[float, ...]
) -> NDArray[np.bool_]:
    scaled = (points - np.array(center)) / np.array(radii)
    return np.asarray((scaled**2).sum(-1) <= 1.0)


def positions_of(grid: VolumeGeometry) -> NDArray[np.float64]:
    """LPS position of every voxel, shape (*grid.shape, 3)."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), -1)
    return grid.to_patient(index.astype(np.float64))


def sample(
    grid: VolumeGeometry, lesions: tuple[Ball, ...]
) -> tuple[NDArray[np.int16], NDArray[np.bool_], NDArray[np.uint8]]:
    """Intensities, liver (tumors included) and lesion labels on a grid."""
    points = positions_of(grid)
    hu = np.full(grid.shape, -1000, np.int16)
    flat = points * np.array([1.0, 1.0, 0.0])
    hu[_ellipsoid(flat, (0, 15, 0), (145, 115, 1))] = -100
    hu[_ellipsoid(flat, (0, 12, 0), (130, 98, 1))] = 45
    hu[_ellipsoid(flat, (0, 75, 0), (22, 20, 1))] = 420
    hu[_ellipsoid(flat, (12, 45, 0), (10, 10, 1))] = 210
    hu[_ellipsoid(points, (85, 30, 0), (28, 35, 35))] = 115
    liver = _ellipsoid(points, LIVER_CENTER_MM, LIVER_RADII_MM)
    hu[liver] = 105
    labels = np.zeros(grid.shape, np.uint8)
    for number, ball in enumerate(lesions, 1):
        inside = liver & _ellipsoid(points, ball.center_mm, (ball.radius_mm,) * 3)
        hu[inside] = ball.hu
        labels[inside] = number
    noise = np.random.default_rng(7).normal(0, 9, grid.shape)
    return (hu + np.where(hu > -900, noise, 0)).astype(np.int16), liver, labels
