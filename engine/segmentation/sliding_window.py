"""One network over a volume that is larger than its window."""

import math
from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.values.model import NetworkSpec

Shape = tuple[int, int, int]
Progress = Callable[[float], None]

HALF_PRECISION_ABOVE_BYTES = 512 * 2**20
"""Sums larger than this are kept in float16, which bounds a whole body at full resolution."""
SIGMA_PER_WINDOW = 1 / 8
"""Width of the Gaussian weight relative to the window (Isensee et al. 2021,
doi:10.1038/s41592-020-01008-z)."""
LEAST_WEIGHT = 1e-3
"""Weight of a window's corners relative to its center; keeps the division sound."""


class Network(Protocol):
    """What runs a window; engine.inference.session.Session does."""

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map (1, 1, s, r, c) to logits (1, channels, s, r, c)."""


def predict_logits(
    network: Network,
    image: NDArray[np.float32],
    spec: NetworkSpec,
    *,
    floor: float,
    progress: Progress,
) -> NDArray[Any]:
    """Run a network window by window and average the logits with Gaussian weights.

    Windows in which no voxel rises above ``floor`` hold nothing but air and are skipped.

    Args:
        network: Opened network.
        image: Prepared input, shape (slice, row, column).
        spec: Window, overlap, divisor, channels and mirror axes.
        floor: Input value of air; also pads what the divisor or the window needs.
        progress: Called with the finished fraction, 0..1.

    Returns:
        Logits, shape (channels, slice, row, column); float32, or float16 where float32
        would not stay within bounds. Skipped voxels are NaN.
    """
    window = window_shape(image.shape, spec)
    padded_shape = tuple(max(n, w) for n, w in zip(image.shape, window, strict=True))
    padded = np.pad(
        image,
        [(0, p - n) for p, n in zip(padded_shape, image.shape, strict=True)],
        constant_values=floor,
    )
    channels = len(spec.channels)
    half = channels * padded.size * 4 > HALF_PRECISION_ABOVE_BYTES
    sums: NDArray[Any] = np.zeros((channels, *padded.shape), np.float16 if half else np.float32)
    weights = np.zeros(padded.shape, sums.dtype)
    weight = gaussian_weight(window)
    places = list(window_places(padded.shape, window, spec.overlap))
    for done, place in enumerate(places, 1):
        block = padded[place]
        if block.max() > floor:
            logits = _run_mirrored(network, block, spec.mirror_axes)
            sums[(slice(None), *place)] += (logits * weight).astype(sums.dtype, copy=False)
            weights[place] += weight.astype(sums.dtype, copy=False)
        progress(done / len(places))
    weights[weights == 0] = np.nan
    sums /= weights
    return sums[:, : image.shape[0], : image.shape[1], : image.shape[2]]


def window_shape(shape: tuple[int, ...], spec: NetworkSpec) -> Shape:
    """Give the window for a volume: the trained one, or smaller where the volume is."""
    first, second, third = (
        min(patch, math.ceil(size / divisor) * divisor)
        for size, patch, divisor in zip(shape, spec.patch, spec.divisor, strict=True)
    )
    return (first, second, third)


def window_places(
    shape: tuple[int, ...], window: Shape, overlap: float
) -> Iterator[tuple[slice, slice, slice]]:
    """Spread the fewest windows evenly that cover a volume with at least this overlap."""
    starts = []
    for size, length in zip(shape, window, strict=True):
        step = max(1.0, length * (1 - overlap))
        count = math.ceil((size - length) / step - 1e-9) + 1
        starts.append(
            [round(k * (size - length) / (count - 1)) for k in range(count)] if count > 1 else [0]
        )
    for a, b, c in product(*starts):
        yield (
            slice(a, a + window[0]),
            slice(b, b + window[1]),
            slice(c, c + window[2]),
        )


def gaussian_weight(window: Shape) -> NDArray[np.float32]:
    """Give the weight of each voxel of a window: 1 in the center, least in the corners."""
    axes = []
    for length in window:
        offset = np.arange(length) - (length - 1) / 2
        axes.append(np.exp(-0.5 * (offset / (SIGMA_PER_WINDOW * length)) ** 2))
    weight = axes[0][:, None, None] * axes[1][:, None] * axes[2]
    return np.asarray(np.maximum(weight / weight.max(), LEAST_WEIGHT), np.float32)


def _run_mirrored(
    network: Network, block: NDArray[np.float32], mirror_axes: tuple[int, ...]
) -> NDArray[np.float32]:
    """Average the logits over every combination of mirrored axes, the plain one included."""
    results = []
    for count in range(len(mirror_axes) + 1):
        for axes in combinations(mirror_axes, count):
            mirrored = np.ascontiguousarray(np.flip(block, axes))[None, None]
            logits = network.run(mirrored)[0]
            results.append(np.flip(logits, tuple(axis + 1 for axis in axes)))
    return np.asarray(np.mean(results, axis=0), np.float32)
