"""Stability of features under small changes of image and mask.

The perturbations are those of Zwanenburg et al. 2019 (doi:10.1038/s41598-018-36938-4): sub-voxel
translation and rotation of image and mask together, growth and shrinkage of the mask, noise of
the image's own level. Every perturbation is drawn from a seeded generator.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.errors import RegionError
from engine.radiomics.extraction import extract_features
from engine.radiomics.intraclass import intraclass_correlation
from engine.radiomics.native import Mask, Real, find_box
from engine.radiomics.settings import RadiomicsSettings
from engine.values.features import FeatureSet
from engine.values.geometry import VolumeGeometry
from engine.values.identity import ContrastPhase

TIE_MM = 1e-4
MARGIN_MM = 40.0
"""Surroundings that are perturbed along with the region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """One small change.

    Attributes:
        shift: Fraction of a voxel along (slice, row, column).
        angle_degrees: Rotation in the slice.
        volume_change: Relative growth (above 0) or shrinkage of the mask.
        noise_sigma: Standard deviation of added noise, in intensity units.
    """

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    angle_degrees: float = 0.0
    volume_change: float = 0.0
    noise_sigma: float = 0.0


def draw_perturbations(count: int, *, seed: int, noise_sigma: float) -> tuple[Perturbation, ...]:
    """Draw perturbations that combine all four kinds.

    Shifts are up to half a voxel, angles up to 13 degrees, volumes change by up to 15 %. The
    ranges are this module's own choice.

    Args:
        count: How many, at least 1.
        seed: Seed of the generator.
        noise_sigma: Noise level of the image, e.g. ``estimate_noise``.
    """
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        z, y, x = random.uniform(-0.5, 0.5, 3).tolist()
        drawn.append(
            Perturbation(
                shift=(z, y, x),
                angle_degrees=float(random.uniform(-13, 13)),
                volume_change=float(random.uniform(-0.15, 0.15)),
                noise_sigma=noise_sigma,
            )
        )
    return tuple(drawn)


def estimate_noise(voxels: NDArray[np.generic], mask: Mask) -> float:
    """Noise standard deviation in a region from differences of neighboring rows.

    Median absolute difference of neighbors along a row, as of Gaussian noise.
    """
    both = mask[..., 1:] & mask[..., :-1]
    if not both.any():
        return 0.0
    differences = np.diff(voxels.astype(np.float64), axis=-1)[both]
    return float(np.median(np.abs(differences)) / (0.6744897501960817 * math.sqrt(2)))


def extract_perturbed(
    image: tuple[NDArray[np.generic], VolumeGeometry],
    mask: Mask,
    settings: RadiomicsSettings,
    perturbations: Sequence[Perturbation],
    *,
    seed: int,
) -> tuple[FeatureSet, ...]:
    """Features of one region under every perturbation.

    Args:
        image: Intensities and grid.
        mask: Region on that grid.
        settings: Extraction settings.
        perturbations: What to change.
        seed: Seed of the noise.

    Raises:
        RegionError: The region is empty, or cannot be measured once perturbed.
    """
    voxels, geometry = image
    box = find_box(mask)
    if box is None:
        raise RegionError("The region is empty: no voxel of the mask is set")
    spacing = geometry.spacing.as_tuple()
    crop = tuple(
        slice(max(0, first - math.ceil(MARGIN_MM / mm)), last + math.ceil(MARGIN_MM / mm) + 1)
        for (first, last), mm in zip(box, spacing, strict=True)
    )
    part, region = voxels[crop].astype(np.float64), mask[crop]
    grid = VolumeGeometry(
        shape=(part.shape[0], part.shape[1], part.shape[2]),
        spacing=geometry.spacing,
        origin_mm=geometry.origin_mm,
        slice_direction=geometry.slice_direction,
        row_direction=geometry.row_direction,
        column_direction=geometry.column_direction,
    )
    random = np.random.default_rng(seed)
    results = []
    for number, perturbation in enumerate(perturbations, start=1):
        changed, changed_mask = _perturb(part, region, spacing, perturbation, random)
        if perturbation.noise_sigma:
            changed = changed + random.normal(0.0, perturbation.noise_sigma, changed.shape)
        results.append(
            extract_features(
                changed,
                changed_mask,
                grid,
                settings,
                region=f"perturbation {number}",
                phase=ContrastPhase.UNKNOWN,
            )
        )
    return tuple(results)


def _perturb(
    voxels: Real,
    mask: Mask,
    spacing: tuple[float, float, float],
    change: Perturbation,
    random: np.random.Generator,
) -> tuple[Real, Mask]:
    """Move image and mask together, then grow or shrink the mask.

    Voxels join or leave by their distance to the surface; equal distances are drawn.
    """
    signed = sitk.GetImageFromArray(np.ascontiguousarray(mask).view(np.uint8))
    image = sitk.GetImageFromArray(voxels)
    for target in (signed, image):
        target.SetSpacing(spacing[::-1])
    distance = sitk.SignedMaurerDistanceMap(
        signed, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    transform = sitk.Euler3DTransform()
    center = np.argwhere(mask).mean(axis=0) * np.array(spacing)
    transform.SetCenter(center[::-1].tolist())
    transform.SetRotation(0.0, 0.0, math.radians(change.angle_degrees))
    transform.SetTranslation([s * mm for s, mm in zip(change.shift, spacing, strict=True)][::-1])
    moved = sitk.Resample(image, transform, sitk.sitkBSpline, float(voxels.min()))
    moved_distance = sitk.Resample(distance, transform, sitk.sitkLinear, 1e6)
    distances = sitk.GetArrayFromImage(moved_distance).astype(np.float64)
    distances += random.uniform(0.0, TIE_MM, distances.shape)
    wanted = max(1, round(float(mask.sum()) * (1 + change.volume_change)))
    limit = np.partition(distances, wanted - 1, axis=None)[wanted - 1]
    return sitk.GetArrayFromImage(moved), distances <= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """Intraclass correlation of one feature.

    Attributes:
        icc: 1 means that perturbations do not matter; NaN that the feature is missing somewhere
            or constant.
        lower, upper: 95 % interval.
        regions, repeats: Size of the table it was computed from.
    """

    icc: float
    lower: float
    upper: float
    regions: int
    repeats: int


def measure_stability(regions: Sequence[Sequence[FeatureSet]]) -> tuple[Stability, ...]:
    """ICC of every feature over several regions.

    Args:
        regions: For each region, at least two, its features under the same number of
            perturbations, at least two, all extracted with the same settings.

    Returns:
        One entry per feature, in the order of the feature sets.

    Raises:
        RegionError: Fewer regions or perturbations.
    """
    if len(regions) < 2 or min(len(repeats) for repeats in regions) < 2:
        raise RegionError(
            f"Stability compares at least 2 regions under at least 2 perturbations, got "
            f"{len(regions)} region(s); give a mask or study with more lesions"
        )
    table = np.array([[[f.value for f in s.features] for s in repeats] for repeats in regions])
    correlations = (intraclass_correlation(table[:, :, k]) for k in range(table.shape[2]))
    return tuple(
        Stability(
            icc=found.value,
            lower=found.lower,
            upper=found.upper,
            regions=table.shape[0],
            repeats=table.shape[1],
        )
        for found in correlations
    )
