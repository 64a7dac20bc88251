"""Non-separable wavelets and Riesz transforms, defined in Fourier space (IBSI 2, 3.6 and 3.7)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import RegionError
from engine.radiomics.filters.kinds import NOTHING_INVENTED, Boundary, Margins, Spacing
from engine.radiomics.fourier import smooth_size
from engine.radiomics.native import Real

PADDING = 32
"""Least number of voxels by which an image is continued unless its boundary is periodic."""
Spectrum = NDArray[np.inexact[Any]]
Transfer = Callable[[list[Real]], Spectrum]
"""Transfer function on open grids of frequencies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimoncelliWavelet:
    """Band-pass of the Simoncelli wavelet (IBSI PRT7), optionally Riesz transformed.

    Attributes:
        level: Decomposition level, from 1: the band one octave lower each.
        riesz: Order of the Riesz transform along x, y and z (IBSI AYRS); None: none.
        planar: Transform each slice by itself.
        boundary: How the image goes on beyond its edges.
    """

    level: int
    riesz: tuple[int, int, int] | None = None
    planar: bool = False
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        if not 1 <= self.level <= 6:
            raise RegionError(f"The wavelet level must be 1 to 6, got {self.level}")

    @property
    def name(self) -> str:
        """Short name, e.g. "simoncelli_1"."""
        return f"simoncelli_{self.level}{_riesz_name(self.riesz)}" + ("_2D" if self.planar else "")

    def margins(self, spacing_mm: Spacing) -> Margins | None:
        """None: the filter is defined on the whole image."""
        return None

    def respond(self, image: Real, spacing_mm: Spacing, invented: Margins) -> Real:
        """The band of the whole image."""

        def transfer(frequencies: list[Real]) -> Spectrum:
            radius = _radius(frequencies)
            highest = 2.0 ** (1 - self.level)
            inside = (radius > highest / 4) & (radius <= highest)
            octave = np.log2(2 * np.where(inside, radius, 1.0) / highest)
            band = np.where(inside, np.cos(math.pi / 2 * octave), 0.0)
            return np.asarray(band * _riesz_transfer(frequencies, self.riesz))

        return _apply(image, transfer, boundary=self.boundary, planar=self.planar)

    def as_dict(self) -> dict[str, Any]:
        """Settings as JSON-able values."""
        return {
            "filter": "simoncelli wavelet",
            "level": self.level,
            "riesz": None if self.riesz is None else list(self.riesz),
            "planar": self.planar,
            "boundary": str(self.boundary),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RieszLaplacianOfGaussian:
    """Riesz transformed Laplacian of Gaussian (IBSI AYRS on L6PA), in space.

    Attributes:
        sigma_mm: Standard deviation of the Gaussian.
        riesz: Order of the Riesz transform along x, y and z.
        truncation: Standard deviations after which the kernel ends.
        boundary: How the image goes on beyond its edges.
    """

    sigma_mm: float
    riesz: tuple[int, int, int]
    truncation: float = 4.0
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sigma_mm) and self.sigma_mm > 0):
            raise RegionError(f"A Laplacian of Gaussian needs sizes above 0, got {self}")

    @property
    def name(self) -> str:
        """Short name, e.g. "log_3mm_riesz_020"."""
        return f"log_{self.sigma_mm:g}mm{_riesz_name(self.riesz)}"

    def margins(self, spacing_mm: Spacing) -> Margins | None:
        """None: the Riesz transform looks at the whole image."""
        return None

    def respond(self, image: Real, spacing_mm: Spacing, invented: Margins) -> Real:
        """Convolve with the sampled kernel, then transform."""
        padded, margins = _pad(image, self.boundary, planar=False)
        kernel = self._kernel(padded.shape, spacing_mm)

        def transfer(frequencies: list[Real]) -> Spectrum:
            return _riesz_transfer(frequencies, self.riesz)

        filtered = np.fft.irfftn(
            np.fft.rfftn(padded) * np.fft.rfftn(kernel), padded.shape, axes=(0, 1, 2)
        )
        return _cut(_multiply_spectrum(filtered, transfer), margins)

    def as_dict(self) -> dict[str, Any]:
        """Settings as JSON-able values."""
        return {
            "filter": "riesz laplacian of gaussian",
            "sigma_mm": self.sigma_mm,
            "riesz": list(self.riesz),
            "truncation": self.truncation,
            "boundary": str(self.boundary),
        }

    def _kernel(self, shape: tuple[int, ...], spacing_mm: Spacing) -> Real:
        """Truncated kernel around voxel 0, wrapped to the image's shape."""
        gaussian, curvature = np.ones(shape), np.zeros(shape)
        for axis, (n, mm) in enumerate(zip(shape, spacing_mm, strict=True)):
            sigma = self.sigma_mm / mm
            x = np.fft.fftfreq(n, 1 / n)
            inside = np.abs(x) <= math.floor(self.truncation * sigma + 0.5)
            one = np.where(inside, np.exp(-(x**2) / (2 * sigma**2)), 0.0)
            along = [1, 1, 1]
            along[axis] = n
            gaussian *= one.reshape(along) / (math.sqrt(2 * math.pi) * sigma)
            curvature = curvature + ((x**2 - sigma**2) / sigma**4).reshape(along)
        return gaussian * curvature


def _apply(image: Real, transfer: Transfer, *, boundary: Boundary, planar: bool) -> Real:
    padded, margins = _pad(image, boundary, planar=planar)
    if planar:
        return _cut(np.stack([_multiply_spectrum(plane, transfer) for plane in padded]), margins)
    return _cut(_multiply_spectrum(padded, transfer), margins)


def _pad(image: Real, boundary: Boundary, *, planar: bool) -> tuple[Real, Margins]:
    if boundary is Boundary.PERIODIC:
        return image, NOTHING_INVENTED
    z, y, x = ((PADDING, smooth_size(n + 2 * PADDING) - n - PADDING) for n in image.shape)
    margins: Margins = ((0, 0) if planar else z, y, x)
    return np.pad(image, margins, mode=boundary.pad_mode), margins


def _cut(image: Real, margins: Margins) -> Real:
    return image[tuple(slice(b, n - a) for (b, a), n in zip(margins, image.shape, strict=True))]


def _multiply_spectrum(image: Real, transfer: Transfer) -> Real:
    """Filter an image with a transfer function on IBSI's frequency grid.

    The grid has n points from -1 to 1 (Nyquist) along each axis, the zero frequency at
    n // 2. For an even n it is not symmetric, and the response is the real part: the
    function is averaged with its conjugate at the opposite point.
    """
    there, back = _frequencies(image.shape)
    symmetric = (transfer(there) + np.conj(transfer(back))) / 2
    axes = tuple(range(image.ndim))
    return np.fft.irfftn(np.fft.rfftn(image, axes=axes) * symmetric, image.shape, axes=axes)


def _frequencies(shape: tuple[int, ...]) -> tuple[list[Real], list[Real]]:
    """Open grids of the half spectrum's frequencies and of their opposites."""
    there, back = [], []
    for axis, n in enumerate(shape):
        grid = np.fft.ifftshift(np.linspace(-1.0, 1.0, n)) if n > 1 else np.zeros(1)
        kept = n // 2 + 1 if axis == len(shape) - 1 else n
        index = np.arange(kept)
        along = [1] * len(shape)
        along[axis] = kept
        there.append(grid[index].reshape(along))
        back.append(grid[-index % n].reshape(along))
    return there, back


def _radius(frequencies: list[Real]) -> Real:
    squared = np.zeros(1)
    for axis in frequencies:
        squared = squared + axis**2
    return np.sqrt(squared)


def _riesz_transfer(frequencies: list[Real], order: tuple[int, int, int] | None) -> Spectrum:
    """Transfer function of the Riesz transform of an order given along x, y, z."""
    if order is None:
        return np.ones(1)
    total = sum(order)
    scale = math.sqrt(math.factorial(total) / math.prod(math.factorial(n) for n in order))
    radius = _radius(frequencies)
    numerator = np.ones(1)
    for axis, n in zip(reversed(frequencies), order, strict=False):
        numerator = numerator * axis**n
    safe = np.where(radius > 0, radius, 1.0)
    return np.asarray((-1j) ** total * scale * np.where(radius > 0, numerator / safe**total, 0.0))


def _riesz_name(order: tuple[int, int, int] | None) -> str:
    return "" if order is None else "_riesz_" + "".join(str(n) for n in order)
