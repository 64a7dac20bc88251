"""Memory that the filters of one region share, one after the other."""

import math

import numpy as np

from engine.radiomics.native import Real


class Workspace:
    """Buffers by name, as large as the largest request so far.

    A fresh array of some megabytes costs the system longer to hand out than a filter to fill.
    What is written to a buffer holds until the next request under the same name.
    """

    def __init__(self) -> None:
        self._buffers: dict[str, Real] = {}

    def take(self, name: str, shape: tuple[int, ...]) -> Real:
        """Array of a shape, not initialized."""
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or len(buffer) < size:
            buffer = self._buffers[name] = np.empty(size)
        return buffer[:size].reshape(shape)
