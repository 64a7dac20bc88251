"""Separable undecimated wavelets (IBSI 2, chapter 3.5)."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.errors import RegionError
from engine.radiomics.filters.kinds import (
    Boundary,
    Margins,
    Pooling,
    Spacing,
    add_margins,
    renew_boundary,
)
from engine.radiomics.filters.separable import (
    Kernels,
    SharedPasses,
    convolution_kernel,
    correlate,
    kernels_along_xyz,
    margins_of,
    rotate,
    trim,
)
from engine.radiomics.native import Real


class Wavelet(StrEnum):
    """Wavelet families with closed-form filters (Daubechies 1992, doi:10.1137/1.9781611970104)."""

    HAAR = "haar"
    DAUBECHIES_2 = "db2"
    DAUBECHIES_3 = "db3"
    COIFLET_1 = "coif1"


def scaling_weights(wavelet: Wavelet) -> tuple[float, ...]:
    """Scaling filter of an orthogonal wavelet; its squares add up to 1."""
    if wavelet is Wavelet.HAAR:
        return (math.sqrt(0.5), math.sqrt(0.5))
    weights: tuple[float, ...]
    if wavelet is Wavelet.DAUBECHIES_2:
        r, scale = math.sqrt(3), 4 * math.sqrt(2)
        weights = (1 + r, 3 + r, 3 - r, 1 - r)
    elif wavelet is Wavelet.DAUBECHIES_3:
        r, scale = math.sqrt(10), 16 * math.sqrt(2)
        s = math.sqrt(5 + 2 * r)
        outer = (1 + r + s, 5 + r + 3 * s, 10 - 2 * r + 2 * s)
        weights = (*outer, 10 - 2 * r - 2 * s, 5 + r - 3 * s, 1 + r - s)
    else:
        r, scale = math.sqrt(7), 16 * math.sqrt(2)
        weights = (1 - r, 5 + r, 14 + 2 * r, 14 - 2 * r, 1 - r, -3 + r)
    return tuple(w / scale for w in weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparableWavelet:
    """One sub-band of a stationary wavelet decomposition (IBSI 25BO), à trous.

    Attributes:
        wavelet: Family.
        bands: Low (L) or high (H) pass along x, y and z ("LLH"); two letters for a
            decomposition in the slice.
        level: Decomposition level, from 1; the levels before it are low pass.
        rotation_invariant: Average over right-angle rotations.
        boundary: How the image goes on beyond its edges.
    """

    wavelet: Wavelet
    bands: str
    level: int = 1
    rotation_invariant: bool = False
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        if len(self.bands) not in {2, 3} or set(self.bands) - {"L", "H"}:
            raise RegionError(f"Wavelet bands are two or three of L and H, got {self.bands!r}")
        if not 1 <= self.level <= 6:
            raise RegionError(f"The wavelet level must be 1 to 6, got {self.level}")

    @property
    def planar(self) -> bool:
        """Two letters: a decomposition in the slice."""
        return len(self.bands) == 2

    @property
    def name(self) -> str:
        """Short name, e.g. "wavelet_coif1_LLH"."""
        level = f"_level{self.level}" if self.level > 1 else ""
        pooled = "_avg" if self.rotation_invariant else ""
        return f"wavelet_{self.wavelet}_{self.bands}{level}{pooled}"

    def margins(self, spacing_mm: Spacing) -> Margins:
        """Of all levels and rotations."""
        total: Margins = ((0, 0), (0, 0), (0, 0))
        for level in range(1, self.level + 1):
            total = add_margins(total, margins_of(self._rotations(level)))
        return total

    def respond(self, image: Real, spacing_mm: Spacing, invented: Margins) -> Real:
        """The sub-band, averaged over rotations when invariant."""
        per_level = [self._rotations(level) for level in range(1, self.level + 1)]
        total: Real | None = None
        counts: dict[tuple[Kernels, ...], int] = {}
        for chain in zip(*per_level, strict=True):
            counts[chain] = counts.get(chain, 0) + 1
        for chain, count in counts.items():
            response = self._decompose(image, chain, invented) * (count / len(per_level[0]))
            total = response if total is None else total + response
        if total is None:
            raise ValueError("A wavelet needs at least one level")
        return total

    def respond_within(self, passes: SharedPasses, image: Real, spacing_mm: Spacing) -> Real | None:
        """The response from passes shared with other bands; None where there is nothing to share.

        With levels or rotations one correlation is not all.
        """
        if self.level > 1 or self.rotation_invariant:
            return None
        key = (self.margins(spacing_mm), self.boundary)
        return passes.correlate(image, self._rotations(1)[0], key=key)

    def as_dict(self) -> dict[str, Any]:
        """Settings as JSON-able values."""
        return {
            "filter": "separable wavelet",
            "wavelet": str(self.wavelet),
            "bands": self.bands,
            "level": self.level,
            "pooling": str(Pooling.AVERAGE) if self.rotation_invariant else None,
            "boundary": str(self.boundary),
        }

    def _decompose(self, image: Real, chain: tuple[Kernels, ...], invented: Margins) -> Real:
        """One rotation: level after level, the boundary rule applied anew to each."""
        for level, kernels in enumerate(chain, start=1):
            shared = margins_of(self._rotations(level))
            image = correlate(trim(image, kernels, shared), kernels)
            image, invented = renew_boundary(image, invented, shared, self.boundary)
        return image

    def _rotations(self, level: int) -> tuple[Kernels, ...]:
        low = scaling_weights(self.wavelet)[::-1]
        high = [(-1) ** (k + 1) * low[len(low) - 1 - k] for k in range(len(low))]
        dilation = 2 ** (level - 1)
        bands = self.bands if level == self.level else "L" * len(self.bands)
        parts = [convolution_kernel(low if band == "L" else high, dilation) for band in bands]
        kernels = kernels_along_xyz(parts[0], parts[1], None if self.planar else parts[2])
        if not self.rotation_invariant:
            return (kernels,)
        return rotate(kernels, planar=self.planar)
