"""Agreement with z-rad on real lesions: Must show 3 of the radiomics issue.

z-rad brings a large desktop stack, so it lives in an environment of its own. With that
environment's Python, from the project's root:

    pip install z-rad SimpleITK
    python -m tests.benchmarks.radiomics_agreement [CASE ...]

Both programs start from the same voxels and mask and do everything themselves: resampling to
1 mm (spline, rounded; mask linear), re-segmentation, discretization, features. Cases are
folders of ../shared/data/ct. The mask threshold is 0.499 in both: at 0.5 exactly, voxels that are
half inside (frequent from 1.25 or 1.5 mm to 1 mm) belong to the region here and are kept or lost
by rounding noise there. Prints one line per lesion and ends with 1 when any feature differs
by more than 1e-6, relatively.
"""

# ruff: noqa: T201 - a command prints its table

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from zrad.image import Image
from zrad.preprocessing import (
    ImageResampler,
    IntensityMaskBuilder,
    IVHIntensityDiscretizer,
    MaskResampler,
    Pipeline,
    Resegmenter,
    RoiData,
    TextureDiscretizer,
)
from zrad.radiomics import Radiomics

from engine.radiomics import RadiomicsSettings, extract_features
from engine.radiomics.definitions import feature_tag
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ContrastPhase

SHARED = Path(__file__).parents[3] / "shared" / "data" / "ct"
CASES = ("validation/lits_002", "train/lits_003", "train/lits_000", "train/lits_004")
TOLERANCE = 1e-6
MASK_THRESHOLD = 0.499
MARGIN_VOXELS = 24
LEAST_VOXELS, MOST_VOXELS, LESIONS_PER_CASE = 100, 20_000, 3
Spacing = tuple[float, float, float]


def lesions(case: str) -> Iterator[tuple[int, NDArray[np.int16], NDArray[np.bool_], Spacing]]:
    """Number, voxels, mask and spacing (slice, row, column) of a case's lesions, cropped."""
    image = sitk.ReadImage(str(SHARED / case / "ct.nii.gz"))
    tumor = sitk.ReadImage(str(SHARED / case / "label.nii.gz")) == 2
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


def measure_with_zrad(
    voxels: NDArray[np.int16], mask: NDArray[np.bool_], spacing: Spacing, aggregation: str
) -> dict[str, float]:
    """z-rad's features of one lesion."""

    def wrap(array: NDArray[np.generic]) -> Image:
        return Image(
            array=array,
            origin=(0.0, 0.0, 0.0),
            spacing=spacing[::-1],
            direction=(1, 0, 0, 0, 1, 0, 0, 0, 1),
            shape=voxels.shape[::-1],
        )

    steps = Pipeline(
        [
            ("image", ImageResampler(1.0, method="bspline", intensity_rounding="nearest_integer")),
            ("mask", MaskResampler(1.0, method="linear", partial_volume_threshold=MASK_THRESHOLD)),
            ("intensity", IntensityMaskBuilder()),
            ("range", Resegmenter(intensity_range=(-150, 250))),
            ("texture", TextureDiscretizer(bin_size=25)),
            ("ivh", IVHIntensityDiscretizer("direct")),
        ]
    )
    roi = RoiData(
        image=wrap(voxels.astype(np.float64)), morphological_mask=wrap(mask.astype(np.int16))
    )
    extractor = Radiomics(aggr_dim="3D", aggr_method=aggregation)
    return dict(extractor.extract_features(steps.apply(roi), families="all"))


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


def main() -> int:
    """Compare every lesion; 1 when any feature differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=CASES)
    failed = 0
    for case in parser.parse_args().cases:
        for number, voxels, mask, spacing in lesions(case):
            start = time.process_time()
            ours = measure(voxels, mask, spacing)
            middle = time.process_time()
            theirs = measure_with_zrad(voxels, mask, spacing, "AVER")
            theirs |= measure_with_zrad(voxels, mask, spacing, "MERG")
            end = time.process_time()
            shared, worse = compare(ours, theirs)
            failed += bool(worse) or shared == 0
            print(
                f"{case} lesion {number}: {int(mask.sum())} voxels, {shared} features compared, "
                f"{len(worse)} differ; CPU {middle - start:.3f} s here, {end - middle:.3f} s z-rad"
            )
            for line in worse:
                print(f"  {line}")
            if not shared:
                print("  z-rad:", sorted(theirs)[:40])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
