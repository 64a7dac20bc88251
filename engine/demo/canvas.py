"""A voxel canvas that organs are painted on, each voxel a mixture of two materials."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engine.demo.interpolation import apply_along_axes, smooth_matrix

Field = NDArray[np.float32]
Box = tuple[slice, slice, slice]
FULL_COVERAGE = 255
WORLD_REACH_MM = 420.0
SLAB_SLICES = 4
FINE_TEXTURE_MM = 1.6
TILE = (64, 120, 120)


def smooth_field(
    rng: Generator,
    axes_mm: Sequence[NDArray[np.float64]],
    wavelength_mm: float,
    *,
    reach_mm: float = WORLD_REACH_MM,
) -> Field:
    """Smooth Gaussian noise of unit standard deviation on the grid of three axes.

    The noise belongs to places in patient space, so that every grid samples the same one.

    Args:
        rng: Source of the noise; how much is drawn does not depend on the grid.
        axes_mm: Positions along z, y, x, evenly spaced.
        wavelength_mm: Distance between independent values.
        reach_mm: Largest distance of any position from zero.
    """
    reach = int(reach_mm / wavelength_mm) + 3
    world = rng.standard_normal([2 * reach + 1] * 3, np.float32)
    if min(len(axis) for axis in axes_mm) == 0:
        return np.zeros([len(axis) for axis in axes_mm], np.float32)
    first = [max(int(axis[0] // wavelength_mm) - 2, -reach) for axis in axes_mm]
    last = [min(int(axis[-1] // wavelength_mm) + 3, reach) for axis in axes_mm]
    knots_mm = [
        wavelength_mm * np.arange(a, b + 1, dtype=np.float64)
        for a, b in zip(first, last, strict=True)
    ]
    cut = tuple(slice(a + reach, b + reach + 1) for a, b in zip(first, last, strict=True))
    white = np.ascontiguousarray(world[cut])
    along = [smooth_matrix(k, axis) for k, axis in zip(knots_mm, axes_mm, strict=True)]
    expected_sd = np.prod([np.sqrt((m**2).sum(axis=1).mean()) for m in along])
    return np.asarray(apply_along_axes(white, along[0], along[1], along[2]) / expected_sd)


def fine_texture(rng: Generator, shape: Sequence[int], voxel_mm: float) -> Field:
    """Noise of unit standard deviation and FINE_TEXTURE_MM width, repeated as a tile."""
    tile = rng.standard_normal(TILE, np.float32)
    spectrum = np.fft.rfftn(tile)
    for axis, count in enumerate(TILE):
        frequency = np.fft.rfftfreq(count) if axis == 2 else np.fft.fftfreq(count)
        blur = np.exp(-2 * (np.pi * frequency * FINE_TEXTURE_MM / voxel_mm) ** 2)
        outline = [1, 1, 1]
        outline[axis] = -1
        spectrum *= blur.astype(np.float32).reshape(outline)
    smooth = np.fft.irfftn(spectrum, TILE, axes=(0, 1, 2))
    picks = [np.arange(count) % side for count, side in zip(shape, TILE, strict=True)]
    return np.asarray((smooth / smooth.std())[np.ix_(*picks)], np.float32)


def smooth_maximum(a: Field, b: Field, blend_mm: float) -> Field:
    """Intersection of two implicit shapes with a rounded edge (distances in mm)."""
    overlap = np.maximum(blend_mm - np.abs(a - b), 0) / blend_mm
    return np.asarray(np.maximum(a, b) + overlap * overlap * (blend_mm / 4), np.float32)


def smooth_minimum(a: Field, b: Field, blend_mm: float) -> Field:
    """Union of two implicit shapes with a rounded seam (distances in mm)."""
    return -smooth_maximum(-a, -b, blend_mm)


class Canvas:
    """Voxel grid in two coordinate systems, with what has been painted so far.

    Attributes:
        z_mm, y_mm, x_mm: Patient coordinates of the voxel centers (LPS), 1D.
        z, y, x: Reference-body coordinates of every voxel in mm, 3D: patient coordinates
            scaled to the reference adult and displaced by a smooth warp.
        primary, secondary: Materials of each voxel, uint8.
        weight: Share of ``primary`` × 255, uint8.
    """

    def __init__(
        self,
        axes_mm: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
        scale: tuple[float, float, float],
        warp_mm: float,
        rng: Generator,
    ) -> None:
        """Lay an empty canvas (air).

        Args:
            axes_mm: Patient coordinates along z, y, x.
            scale: Size relative to the reference adult along z, y, x.
            warp_mm: Standard deviation of the smooth displacement.
            rng: Source of the warp.
        """
        self.z_mm, self.y_mm, self.x_mm = axes_mm
        self.scale = scale
        self.voxel_mm = float(np.mean([abs(a[1] - a[0]) for a in axes_mm]))
        self._margin_mm = 3.5 * warp_mm
        shape = tuple(len(a) for a in axes_mm)
        coordinates = []
        for index, axis_mm in enumerate(axes_mm):
            field = smooth_field(rng, axes_mm, 85.0) * np.float32(warp_mm)
            np.clip(field, -self._margin_mm, self._margin_mm, out=field)
            outline = [1, 1, 1]
            outline[index] = -1
            field += (axis_mm / scale[index]).astype(np.float32).reshape(outline)
            coordinates.append(field)
        self.z, self.y, self.x = coordinates
        self.primary = np.zeros(shape, np.uint8)
        self.secondary = np.zeros(shape, np.uint8)
        self.weight = np.full(shape, FULL_COVERAGE, np.uint8)

    @property
    def axes_mm(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Patient coordinates along z, y, x."""
        return (self.z_mm, self.y_mm, self.x_mm)

    @property
    def everywhere(self) -> Box:
        """Box that covers the whole canvas."""
        return (slice(None), slice(None), slice(None))

    def slabs(self) -> Iterator[Box]:
        """The canvas in pieces small enough for the processor's cache."""
        for start in range(0, len(self.z_mm), SLAB_SLICES):
            yield (slice(start, start + SLAB_SLICES), slice(None), slice(None))

    def height_of_liquid(self, box: Box) -> Field:
        """Patient y of a box, in reference mm, without warp: liquids lie level."""
        return (self.y_mm[box[1]] / self.scale[1]).astype(np.float32)[None, :, None]

    def box(self, low: Sequence[float], high: Sequence[float]) -> Box:
        """Voxels that may lie between two reference points (z, y, x) in mm."""
        slices = []
        for axis_mm, scale, low_mm, high_mm in zip(
            self.axes_mm, self.scale, low, high, strict=True
        ):
            start = np.searchsorted(axis_mm, (low_mm - self._margin_mm) * scale)
            stop = np.searchsorted(axis_mm, (high_mm + self._margin_mm) * scale, "right")
            slices.append(slice(int(start), int(stop)))
        return (slices[0], slices[1], slices[2])

    def around(self, center: Sequence[float], reach: Sequence[float] | float) -> Box:
        """Voxels within ``reach`` mm of a reference point (z, y, x)."""
        reaches = np.broadcast_to(np.asarray(reach, float), 3)
        return self.box(np.asarray(center) - reaches, np.asarray(center) + reaches)

    def paint(self, box: Box, distance_mm: Field, material: int) -> None:
        """Paint where an implicit shape is negative, softly at its surface.

        Args:
            box: Part of the canvas ``distance_mm`` covers.
            distance_mm: Signed distance, negative inside, shape of the box.
            material: What the shape is made of.
        """
        depth = distance_mm.shape[0]
        for start in range(0, depth if distance_mm.size else 0, SLAB_SLICES):
            part = slice(start, min(start + SLAB_SLICES, depth))
            first = box[0].indices(len(self.z_mm))[0]
            slab = (slice(first + part.start, first + part.stop), box[1], box[2])
            self._paint_slab(slab, distance_mm[part], material)

    def _paint_slab(self, box: Box, distance_mm: Field, material: int) -> None:
        share = np.clip(0.5 - distance_mm / self.voxel_mm, 0, 1)
        coverage = (share * FULL_COVERAGE).astype(np.uint8)
        touched = coverage > 0
        primary, secondary, weight = self.primary[box], self.secondary[box], self.weight[box]
        below = np.where(weight > FULL_COVERAGE // 2, primary, secondary)
        np.copyto(secondary, below, where=touched)
        np.copyto(primary, np.uint8(material), where=touched)
        np.copyto(weight, coverage, where=touched)

    def dominant(self, box: Box) -> NDArray[np.uint8]:
        """The material that fills most of each voxel."""
        half = FULL_COVERAGE // 2
        chosen = np.where(self.weight[box] > half, self.primary[box], self.secondary[box])
        return np.asarray(chosen, np.uint8)
