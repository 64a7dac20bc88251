"""What an encoder sees of a region: patches on the standard axes, and the region in them."""

from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.errors import RegionError
from engine.spatial.orientation import to_standard_axes
from engine.values.encoder import EncoderChannel, EncoderSpec
from engine.values.geometry import VolumeGeometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Patches:
    """Input of an encoder.

    Attributes:
        images: (batch, channel, row, column) or (batch, channel, slice, row, column), float32.
        share: Part of each voxel inside the region, 0..1, shape as images without channels.
    """

    images: NDArray[np.float32] = field(repr=False)
    share: NDArray[np.float32] = field(repr=False)


def cut_patches(
    voxels_hu: NDArray[np.generic],
    mask: NDArray[np.bool_],
    geometry: VolumeGeometry,
    spec: EncoderSpec,
) -> Patches:
    """Cut and normalize the patches of one region.

    A 3D encoder gets one patch around the center of the region's box. A 2D encoder gets one
    patch per slice that holds a part of the region, on the image's own slice positions. Beyond
    the image's edge a patch holds the lower end of the window.

    Raises:
        RegionError: The region is empty, not finite, or larger than the patch.
    """
    if not mask.any():
        raise RegionError("The region is empty: no voxel of the mask is set")
    standard, grid = to_standard_axes(voxels_hu, geometry)
    region, _ = to_standard_axes(mask, geometry)
    target = _target(region, grid, spec)
    outside = min(channel.low_hu for channel in spec.channels)
    near = _near(grid, target)
    image = _placed(standard[near].astype(np.float32), grid, near)
    patch = sitk.GetArrayFromImage(
        sitk.Resample(image, target, sitk.Transform(), sitk.sitkLinear, outside)
    )
    if not np.isfinite(patch).all():
        raise RegionError("Intensities in or near the region are not finite")
    organ = _placed(region[near].astype(np.float32), grid, near)
    share = sitk.GetArrayFromImage(
        sitk.Resample(organ, target, sitk.Transform(), sitk.sitkLinear, 0.0)
    )
    channels = np.stack([_normalize(patch, channel) for channel in spec.channels])
    if spec.dimensions == 2:
        return Patches(images=np.ascontiguousarray(channels.swapaxes(0, 1)), share=share)
    return Patches(images=channels[np.newaxis], share=share[np.newaxis])


def _target(region: NDArray[np.bool_], grid: VolumeGeometry, spec: EncoderSpec) -> sitk.Image:
    """Empty image of the patch around the center of the region's box.

    Raises:
        RegionError: The region is larger than the patch.
    """
    where = [
        np.flatnonzero(region.any(axis=tuple(a for a in range(3) if a != axis)))
        for axis in range(3)
    ]
    low = np.array([w[0] for w in where], np.float64)
    high = np.array([w[-1] for w in where], np.float64)
    source_mm = np.array(grid.spacing.as_tuple())
    spacing, size = np.array(spec.spacing_mm), np.array(spec.patch)
    if spec.dimensions == 2:
        spacing[0], size[0] = source_mm[0], int(high[0] - low[0]) + 1
    extent_mm, room_mm = (high - low) * source_mm, size * spacing
    if (extent_mm > room_mm).any():
        raise RegionError(
            f"The region is {_mm(extent_mm)} large, the patch of {spec.name} {_mm(room_mm)}"
        )
    center = grid.to_patient((low + high) / 2)
    start = center - grid.directions @ ((size - 1) / 2 * spacing)
    target = sitk.Image([int(n) for n in size[::-1]], sitk.sitkUInt8)
    target.SetSpacing(spacing[::-1].tolist())
    target.SetOrigin(start.tolist())
    target.SetDirection(grid.directions[:, ::-1].flatten().tolist())
    return target


def _near(grid: VolumeGeometry, target: sitk.Image) -> tuple[slice, ...]:
    """The part of the image a patch can look at."""
    size = np.array(target.GetSize())
    corners = [
        target.TransformIndexToPhysicalPoint([int(n) for n in (size - 1) * np.array(c)])
        for c in np.ndindex(2, 2, 2)
    ]
    at = grid.to_index(np.array(corners))
    low = np.clip(np.floor(at.min(axis=0)) - 1, 0, None).astype(int)
    high = np.minimum(np.ceil(at.max(axis=0)) + 2, grid.shape).astype(int)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _placed(
    voxels: NDArray[np.float32], grid: VolumeGeometry, box: tuple[slice, ...]
) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels))
    image.SetSpacing(grid.spacing.as_tuple()[::-1])
    origin = grid.to_patient(np.array([side.start for side in box], np.float64))
    image.SetOrigin(origin.tolist())
    image.SetDirection(grid.directions[:, ::-1].flatten().tolist())
    return image


def _normalize(patch: NDArray[np.float32], channel: EncoderChannel) -> NDArray[np.float32]:
    low, high = channel.low_hu, channel.high_hu
    scaled = (np.clip(patch, low, high) - low) / (high - low)
    return np.asarray((scaled - channel.mean) / channel.deviation, np.float32)


def _mm(lengths: NDArray[np.float64]) -> str:
    return " × ".join(f"{mm:.0f}" for mm in lengths) + " mm"
