"""What an encoder package declares: a network whose inner features describe a region."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ModelPackageError


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderChannel:
    """One input channel: an intensity window and how it is normalized.

    The network sees ((clip(HU, low, high) − low) / (high − low) − mean) / deviation.
    """

    low_hu: float
    high_hu: float
    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        if not (self.low_hu < self.high_hu and self.deviation > 0):
            raise ModelPackageError(f"A channel needs low_hu < high_hu, deviation > 0: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSpec:
    """One ONNX encoder and how it wants to be fed.

    Input tensor: float32 (batch, channel, row, column) or (batch, channel, slice, row, column),
    axes oriented as for segmentation networks (slice to the head, row to posterior, column to
    patient left).

    Attributes:
        name, version: Of the package.
        package_sha256: Of the package; a part of every cache key.
        file: The ONNX file.
        dimensions: 2 (each slice of a region is an image) or 3.
        input_name: Input tensor.
        layer: Tensor that is described: an output of the graph or any inner one.
        channels: At least one; several windows give a color network its three channels.
        spacing_mm: (slice, row, column); the slice spacing is not used in 2D.
        patch: (slice, row, column) voxels around the region's center; slices are 1 in 2D.
        license: Terms of the weights.
        layer_name: Short name of the layer in feature names.
    """

    name: str
    version: str
    package_sha256: str
    file: Path
    dimensions: int
    input_name: str
    layer: str
    channels: tuple[EncoderChannel, ...]
    spacing_mm: tuple[float, float, float]
    patch: tuple[int, int, int]
    license: str
    layer_name: str = "features"

    def __post_init__(self) -> None:
        if self.dimensions not in (2, 3) or not self.channels or min(self.patch) < 1:
            raise ModelPackageError(
                f"Encoder {self.name}: 2 or 3 dimensions, at least one channel and a patch above "
                f"0 needed, found {self.dimensions}, {len(self.channels)}, {self.patch}"
            )
        if not all(math.isfinite(mm) and mm > 0 for mm in self.spacing_mm):
            raise ModelPackageError(f"Encoder {self.name}: spacing {self.spacing_mm} mm")

    def as_dict(self) -> dict[str, Any]:
        """What decides the features, JSON-able, to travel with them."""
        return {
            "encoder": self.name,
            "version": self.version,
            "package_sha256": self.package_sha256,
            "dimensions": self.dimensions,
            "layer": self.layer,
            "channels": [[c.low_hu, c.high_hu, c.mean, c.deviation] for c in self.channels],
            "spacing_mm": list(self.spacing_mm),
            "patch": list(self.patch),
            "license": self.license,
        }
