"""Separable filters: three one-dimensional kernels, their rotations and pooling."""

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from engine.radiomics.filters.kinds import Margins, Pooling
from engine.radiomics.filters.workspace import Workspace
from engine.radiomics.native import Real, load_core, pointer, shape_of


@dataclass(frozen=True, slots=True)
class Kernel:
    """One-dimensional correlation kernel.

    Attributes:
        weights: In the order of the samples they are multiplied with.
        before: Samples before the one the response belongs to.
        dilation: Distance between the samples (à trous).
    """

    weights: tuple[float, ...]
    before: int
    dilation: int = 1

    @property
    def after(self) -> int:
        """Samples after the one the response belongs to."""
        return (len(self.weights) - 1) * self.dilation - self.before

    @property
    def flipped(self) -> "Kernel":
        """The kernel for the reversed axis."""
        return Kernel(self.weights[::-1], self.after, self.dilation)


IDENTITY = Kernel((1.0,), 0)
Kernels = tuple[Kernel, Kernel, Kernel]
"""Kernels along the slice, row and column axis."""


def convolution_kernel(weights: Sequence[float], dilation: int = 1) -> Kernel:
    """Kernel whose correlation is the convolution with the weights, centered at length // 2."""
    after = len(weights) * dilation // 2
    return Kernel(
        tuple(float(w) for w in reversed(weights)), (len(weights) - 1) * dilation - after, dilation
    )


def kernels_along_xyz(x: Kernel, y: Kernel, z: Kernel | None) -> Kernels:
    """Kernels named in the order of the IBSI filter names; None: a filter in the slice."""
    return (IDENTITY if z is None else z, y, x)


def margins_of(rotations: Sequence[Kernels]) -> Margins:
    """Margins that serve all rotations."""
    sides = [
        (max(k[a].before for k in rotations), max(k[a].after for k in rotations)) for a in range(3)
    ]
    return (sides[0], sides[1], sides[2])


def correlate(image: Real, kernels: Kernels) -> Real:
    """Correlate along the three axes, keeping voxels whose whole support is there."""
    for axis in sorted(range(3), key=lambda a: -len(kernels[a].weights)):
        image = correlate_axis(image, axis, kernels[axis])
    return image


def correlate_axis(image: Real, axis: int, kernel: Kernel, out: Real | None = None) -> Real:
    """Correlate along one axis, which shrinks by the kernel's margins.

    Args:
        image: Any contiguous or strided volume.
        axis: Along which.
        kernel: The weights.
        out: Where the response goes; None: a new array.
    """
    if kernel == IDENTITY:
        return image
    source = np.ascontiguousarray(image)
    if out is None:
        out = np.empty(shrunken(image.shape, axis, kernel))
    load_core().correlate_axis(
        pointer(source),
        shape_of(source),
        axis,
        pointer(np.array(kernel.weights)),
        len(kernel.weights),
        ctypes.c_int64(kernel.dilation),
        0,
        pointer(out),
    )
    return out


def shrunken(shape: tuple[int, ...], axis: int, kernel: Kernel) -> tuple[int, ...]:
    """Shape of a correlation along an axis."""
    taken = kernel.before + kernel.after
    return tuple(n - taken if a == axis else n for a, n in enumerate(shape))


class SharedPasses:
    """Remembers the passes of the last separable filter, for the next ones that begin alike.

    The eight bands of a wavelet decomposition need 14 passes that way instead of 24.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._key: object = None
        self._done: list[tuple[Kernel, Real]] = []

    def correlate(self, image: Real, kernels: Kernels, *, key: object) -> Real:
        """Correlate along x, then y, then z.

        Args:
            image: With the kernels' margins.
            kernels: One per axis.
            key: The same for the same image only.

        Returns:
            The response without the margins; it holds until the next call.
        """
        if key != self._key:
            self._key, self._done = key, []
        for step, axis in enumerate((2, 1, 0)):
            kernel = kernels[axis]
            if len(self._done) > step and self._done[step][0] == kernel:
                image = self._done[step][1]
                continue
            del self._done[step:]
            out = self._workspace.take(f"pass {step}", shrunken(image.shape, axis, kernel))
            image = correlate_axis(image, axis, kernel, out)
            if step < 2:
                self._done.append((kernel, image))
        return image


@cache
def rotate(kernels: Kernels, *, planar: bool) -> tuple[Kernels, ...]:
    """The kernels turned by all right angles: 4 rotations in the slice or 24 in space.

    Rotations that give the same kernels are kept, so that averages weight them as IBSI does.
    """
    if planar:
        z, y, x = kernels
        return ((z, y, x), (z, x, y.flipped), (z, y.flipped, x.flipped), (z, x.flipped, y))
    rotated = []
    for axes in permutations(range(3)):
        for flips in product((False, True), repeat=3):
            matrix = np.zeros((3, 3))
            for row, (axis, flip) in enumerate(zip(axes, flips, strict=True)):
                matrix[row, axis] = -1 if flip else 1
            if np.linalg.det(matrix) > 0:
                turned = [
                    kernels[a].flipped if f else kernels[a]
                    for a, f in zip(axes, flips, strict=True)
                ]
                rotated.append((turned[0], turned[1], turned[2]))
    return tuple(rotated)


def pool(image: Real, rotations: Sequence[Kernels], pooling: Pooling) -> Real:
    """Correlate with every rotation and pool the responses.

    Args:
        image: With the margins of ``margins_of(rotations)`` around the wanted box.
        rotations: Rotated kernels; repeated ones are computed once and weighted.
        pooling: How responses become one.

    Returns:
        Pooled response without the margins.
    """
    margins = margins_of(rotations)
    counts: dict[Kernels, int] = {}
    for kernels in rotations:
        counts[kernels] = counts.get(kernels, 0) + 1
    pooled: Real | None = None
    for kernels, count in counts.items():
        response = correlate(trim(image, kernels, margins), kernels)
        if pooling is Pooling.AVERAGE:
            response = response * (count / len(rotations))
            pooled = response if pooled is None else pooled + response
        else:
            pooled = response if pooled is None else np.maximum(pooled, response)
    if pooled is None:
        raise ValueError("Pooling needs at least one rotation")
    return pooled


def trim(image: Real, kernels: Kernels, margins: Margins) -> Real:
    """Leave only the margins that these kernels consume."""
    return image[
        tuple(
            slice(before - k.before, n - (after - k.after))
            for k, (before, after), n in zip(kernels, margins, image.shape, strict=True)
        )
    ]


def box_kernel(voxels: int) -> Kernel:
    """Mean over an odd number of voxels."""
    return Kernel((1.0 / voxels,) * voxels, voxels // 2)


@cache
def gaussian_weights(sigma: float, reach: int) -> tuple[Real, Real]:
    """Gaussian and its second derivative, sampled 2 · reach + 1 times; sigma in voxels."""
    x: NDArray[np.float64] = np.arange(-reach, reach + 1.0)
    gaussian = np.exp(-(x**2) / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma)
    return gaussian, gaussian * (x**2 - sigma**2) / sigma**4
