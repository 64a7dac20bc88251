"""Deep features of one region."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.deep_features.cache import FeatureCache, content_key
from engine.deep_features.patches import Patches, cut_patches
from engine.deep_features.pooling import Pooling, pool
from engine.errors import ModelPackageError, RegionError
from engine.values.encoder import EncoderSpec
from engine.values.features import Feature, FeatureSet
from engine.values.geometry import VolumeGeometry
from engine.values.identity import ContrastPhase

FAMILY = "Deep features"
BATCH = 16
"""Slices in one run of a 2D encoder."""


class Network(Protocol):
    """Runs a graph with named inputs."""

    def run_named(
        self, feeds: dict[str, NDArray[np.float32]], outputs: tuple[str, ...]
    ) -> dict[str, NDArray[np.float32]]:
        """Give the named outputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEncoder:
    """An encoder ready to run.

    Attributes:
        spec: How it is fed.
        network: The opened graph, with the layer among its outputs.
        provider: Execution provider, for the cache: another one rounds differently.
        cache: Kept features; None computes every time.
    """

    spec: EncoderSpec
    network: Network = field(repr=False)
    provider: str
    cache: FeatureCache | None = None


def extract_deep_features(
    voxels_hu: NDArray[np.generic],
    mask: NDArray[np.bool_],
    geometry: VolumeGeometry,
    encoder: OpenEncoder,
    *,
    region: str,
    phase: ContrastPhase,
) -> FeatureSet:
    """Pooled features of an encoder's layer over one region.

    Args:
        voxels_hu: Intensities, shape ``geometry.shape``.
        mask: Region on the same grid.
        geometry: The grid.
        encoder: The opened encoder.
        region, phase: For the result.

    Returns:
        Per pooling every channel; names are "<layer> <channel index>", ``filter`` is the
        encoder's name, ``settings`` what decides the numbers.

    Raises:
        RegionError: The region is empty, larger than the patch, or not finite.
        ModelPackageError: The graph does not give a feature map.
    """
    patches = cut_patches(voxels_hu, mask, geometry, encoder.spec)
    key = content_key(patches, encoder.spec, encoder.provider)
    pooled = None if encoder.cache is None else encoder.cache.get(key)
    if pooled is None:
        pooled = pool(_run(patches, encoder), patches.share)
        if encoder.cache is not None:
            encoder.cache.put(key, pooled)
    return named_features(pooled, encoder.spec, region=region, phase=phase)


def absent_deep_features(
    channels: int, spec: EncoderSpec, *, region: str, phase: ContrastPhase, reason: str
) -> FeatureSet:
    """The names of all features, each NaN with the reason."""
    missing = np.full((len(Pooling), channels), math.nan)
    return named_features(missing, spec, region=region, phase=phase, reason=reason)


def named_features(
    pooled: NDArray[np.float64],
    spec: EncoderSpec,
    *,
    region: str,
    phase: ContrastPhase,
    reason: str = "",
) -> FeatureSet:
    """Pooled numbers under their stable names."""
    features = [
        Feature(
            name=f"{spec.layer_name} {channel:04d}",
            ibsi_code="",
            family=FAMILY,
            value=float(value),
            unit="1",
            aggregation=str(pooling),
            filter=spec.name,
            reason=reason,
        )
        for pooling, row in zip(Pooling, pooled, strict=True)
        for channel, value in enumerate(row.tolist())
    ]
    return FeatureSet(region=region, phase=phase, features=tuple(features), settings=spec.as_dict())


def _run(patches: Patches, encoder: OpenEncoder) -> NDArray[np.float32]:
    """Feature maps of all patches, in batches."""
    spec = encoder.spec
    maps = [
        encoder.network.run_named({spec.input_name: part}, (spec.layer,))[spec.layer]
        for part in _batches(patches.images)
    ]
    joined = np.concatenate(maps)
    if joined.ndim not in (2, patches.images.ndim) or len(joined) != len(patches.images):
        raise ModelPackageError(
            f"Encoder {spec.name}: layer {spec.layer!r} must give (batch, channel) or a feature "
            f"map of {spec.dimensions} axes, found shape {joined.shape}"
        )
    if not np.isfinite(joined).all():
        raise RegionError(f"Encoder {spec.name} gave numbers that are not finite")
    return joined


def _batches(images: NDArray[np.float32]) -> Iterable[NDArray[np.float32]]:
    return (images[start : start + BATCH] for start in range(0, len(images), BATCH))
