"""Masks of liver and lesions on the grid of their source volume."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidGeometryError
from engine.values.geometry import VolumeGeometry

LIVER_LABEL = 1
TUMOR_LABEL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """Output of the segmentation stage.

    Attributes:
        labels: 0 background, 1 liver parenchyma, 2 tumor, on ``geometry``; uint8, read-only.
            The liver as an organ is ``labels > 0``.
        tumor_probability: Network's tumor probability × 255 on the same grid, uint8,
            read-only; basis of each lesion's confidence.
        geometry: The grid of the source volume.
    """

    labels: NDArray[np.uint8] = field(repr=False)
    tumor_probability: NDArray[np.uint8] = field(repr=False)
    geometry: VolumeGeometry

    def __post_init__(self) -> None:
        for array in (self.labels, self.tumor_probability):
            if array.shape != self.geometry.shape:
                raise InvalidGeometryError(
                    f"Mask {array.shape} does not fit the grid {self.geometry.shape}"
                )
            array.flags.writeable = False

    @property
    def liver(self) -> NDArray[np.bool_]:
        """The liver as an organ, tumors included."""
        return self.labels > 0
