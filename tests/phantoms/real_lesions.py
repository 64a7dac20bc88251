"""Real lesions of ../shared/data/ct, and our features of them as z-rad can be asked for them."""

from collections.abc import Iterator

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.radiomics import RadiomicsSettings, extract_features
from engine.radiomics.definitions import feature_tag
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ContrastPhase
from tests.phantoms.shared_data import shared

CASES = ("validation/lits_002", "train/lits_003", "train/lits_000", "train/lits_004")
MASK_THRESHOLD = 0.499
"""At 0.5 exactly, voxels that are half inside (frequent from 1.25 or 1.5 mm to 1 mm) belong to the
region here and are kept or lost by rounding noise in z-rad."""
MARGIN_VOXELS = 24
LEAST_VOXELS, MOST_VOXELS, LESIONS_PER_CASE = 100, 20_000, 3
Spacing = tuple[float, float, float]
TOLERANCE = 1e-6
"""Relative difference that counts as agreement."""


def lesions(case: str) -> Iterator[tuple[int, NDArray[np.int16], NDArray[np.bool_], Spacing]]:
    """Number, voxels, mask and spacing (slice, row, column) of a case's lesions, cropped."""
    image = sitk.ReadImage(str(shared("data", "ct", case, "ct.nii.gz")))
    tumor = sitk.ReadImage(str(shared("data", "ct", case, "label.nii.gz"))) == 2
    labels = sitk.GetArrayFromImage(sitk.RelabelComponent(sitk.ConnectedComponent(tumor)))
    voxels = sitk.GetArrayFromImage(image).astype(np.int16)
    x, y, z = image.GetSpacing()
    numbers = [
        n
        for n in range(1, int(labels.max()) + 1)
        if LEAST_VOXELS <= (labels == n).sum() <= MOST_VOXELS
    ]
    for number in numbers[:LESIONS_PER_CASE]:
        where = np.argwhere(labels == number)
        low = np.maximum(where.min(axis=0) - MARGIN_VOXELS, 0)
        high = where.max(axis=0) + MARGIN_VOXELS + 1
        crop = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        yield number, voxels[crop], labels[crop] == number, (z, y, x)


def measure(
    voxels: NDArray[np.int16], mask: NDArray[np.bool_], spacing: Spacing
) -> dict[str, float]:
    """Our features of one lesion by tag."""
    geometry = VolumeGeometry(
        shape=voxels.shape,
        spacing=VoxelSpacing(slice_mm=spacing[0], row_mm=spacing[1], column_mm=spacing[2]),
        origin_mm=(0.0, 0.0, 0.0),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )
    settings = RadiomicsSettings(mask_threshold=MASK_THRESHOLD)
    result = extract_features(
        voxels, mask, geometry, settings, region="lesion", phase=ContrastPhase.UNKNOWN
    )
    return {feature_tag(f.family, f.name, f.aggregation): f.value for f in result.features}


def compare(ours: dict[str, float], theirs: dict[str, float]) -> tuple[int, list[str]]:
    """Number of features both have, and those that differ."""
    by_name = {tag.lower(): value for tag, value in ours.items()}
    shared = {name: value for name, value in theirs.items() if name.lower() in by_name}
    worse = [
        f"{name}: {by_name[name.lower()]!r} here, {value!r} there"
        for name, value in shared.items()
        if not np.isclose(by_name[name.lower()], value, rtol=TOLERANCE, atol=1e-12)
    ]
    return len(shared), worse
