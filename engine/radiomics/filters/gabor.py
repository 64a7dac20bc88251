"""Gabor filters in planes (IBSI 2, chapter 3.4)."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import RegionError
from engine.radiomics.filters.kinds import Boundary, Margins, Spacing
from engine.radiomics.fourier import smooth_size
from engine.radiomics.native import Real

NEGLIGIBLE = 1e-6
"""The kernel ends where its envelope has fallen below this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaborFilter:
    """Modulus of the response to a Gabor kernel (IBSI Q88H).

    Attributes:
        sigma_mm: Standard deviation of the envelope along the wave.
        wavelength_mm: Wavelength.
        aspect: Spatial aspect ratio γ: the envelope across the wave has σ / γ.
        theta: Angle of the wave in the slice, radians; the first angle when averaging.
        theta_step: Average over all angles in these steps; None: theta only.
        orthogonal_planes: Average over the three planes instead of the slice only.
        boundary: How the image goes on beyond its edges.
    """

    sigma_mm: float
    wavelength_mm: float
    aspect: float
    theta: float = 0.0
    theta_step: float | None = None
    orthogonal_planes: bool = False
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        for value in (self.sigma_mm, self.wavelength_mm, self.aspect):
            if not (math.isfinite(value) and value > 0):
                raise RegionError(f"A Gabor filter needs sizes above 0, got {self}")
        if self.theta_step is not None:
            turns = 2 * math.pi / self.theta_step if self.theta_step > 0 else 0.0
            if turns < 1 or not math.isclose(turns, round(turns), rel_tol=1e-9):
                raise RegionError(f"The angle step must divide a full turn, got {self.theta_step}")

    @property
    def name(self) -> str:
        """Short name, e.g. "gabor_5mm_2mm_1.5_rot"."""
        turned = "_rot" if self.theta_step else f"_{math.degrees(self.theta):g}deg"
        planes = "_3planes" if self.orthogonal_planes else ""
        size = f"{self.sigma_mm:g}mm_{self.wavelength_mm:g}mm_{self.aspect:g}"
        return f"gabor_{size}{turned}{planes}"

    def margins(self, spacing_mm: Spacing) -> Margins:
        """The kernel's reach in the planes that are used."""
        z, y, x = (self._reach(mm) for mm in spacing_mm)
        return ((z, z) if self.orthogonal_planes else (0, 0), (y, y), (x, x))

    def respond(self, image: Real, spacing_mm: Spacing, invented: Margins) -> Real:
        """Mean modulus over angles and planes."""
        normals = (0, 1, 2) if self.orthogonal_planes else (0,)
        margins = self.margins(spacing_mm)
        responses = []
        for normal in normals:
            before, after = margins[normal]
            planes = np.moveaxis(image, normal, 0)[before : image.shape[normal] - after]
            rows_mm, columns_mm = (mm for axis, mm in enumerate(spacing_mm) if axis != normal)
            responses.append(
                np.moveaxis(self._respond_in_plane(planes, rows_mm, columns_mm), 0, normal)
            )
        return np.asarray(np.mean(responses, axis=0))

    def as_dict(self) -> dict[str, Any]:
        """Settings as JSON-able values."""
        return {
            "filter": "gabor",
            "sigma_mm": self.sigma_mm,
            "wavelength_mm": self.wavelength_mm,
            "aspect": self.aspect,
            "theta": self.theta,
            "theta_step": self.theta_step,
            "orthogonal_planes": self.orthogonal_planes,
            "boundary": str(self.boundary),
        }

    def _reach(self, mm: float) -> int:
        widest = self.sigma_mm * max(1.0, 1.0 / self.aspect)
        return math.ceil(widest * math.sqrt(-2 * math.log(NEGLIGIBLE)) / mm)

    def _angles(self) -> list[float]:
        """Angles to average over; a wave and the same wave backwards have one modulus."""
        if self.theta_step is None:
            return [self.theta]
        turns = round(2 * math.pi / self.theta_step)
        return [
            self.theta + k * self.theta_step for k in range(turns // 2 if turns % 2 == 0 else turns)
        ]

    def _respond_in_plane(self, planes: Real, rows_mm: float, columns_mm: float) -> Real:
        """Mean modulus over the angles for a stack of planes that carry their margins."""
        rows, columns = self._reach(rows_mm), self._reach(columns_mm)
        height, width = planes.shape[1:]
        sizes = (smooth_size(height), smooth_size(width))
        angles = self._angles()
        kernels = [
            np.fft.fft2(self._kernel(angle, (rows, columns), (rows_mm, columns_mm)), sizes)
            for angle in angles
        ]
        total = np.zeros((len(planes), height - 2 * rows, width - 2 * columns))
        for index, plane in enumerate(planes):
            spectrum = np.fft.fft2(plane, sizes)
            for kernel in kernels:
                response = np.fft.ifft2(spectrum * kernel)
                total[index] += np.abs(response[2 * rows : height, 2 * columns : width])
        return np.asarray(total / len(angles))

    def _kernel(
        self, angle: float, reach: tuple[int, int], spacing_mm: tuple[float, float]
    ) -> NDArray[np.complex128]:
        """Kernel in mm around the voxel, rows × columns."""
        y = np.arange(-reach[0], reach[0] + 1)[:, None] * spacing_mm[0]
        x = np.arange(-reach[1], reach[1] + 1)[None, :] * spacing_mm[1]
        along = x * math.cos(angle) + y * math.sin(angle)
        across = y * math.cos(angle) - x * math.sin(angle)
        envelope = np.exp(-(along**2 + (self.aspect * across) ** 2) / (2 * self.sigma_mm**2))
        return np.asarray(envelope * np.exp(2j * math.pi * along / self.wavelength_mm))
