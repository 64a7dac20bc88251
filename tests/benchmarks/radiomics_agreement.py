"""Agreement with z-rad on real lesions: Must show 3 of the radiomics issue.

z-rad brings a large desktop stack, so it lives in the environment of ``make bench-radiomics``.
With that environment's Python, from the project's root:

    python -m tests.benchmarks.radiomics_agreement [CASE ...]
    python -m tests.benchmarks.radiomics_agreement --record

The first compares and ends with 1 when any feature differs by more than 1e-6, relatively. The
second writes z-rad's values to tests/phantoms/zrad_reference, where
tests/acceptance/radiomics/test_zrad.py reads them: numbers only, no images. Both programs start
from the same voxels and mask and do everything themselves: resampling to 1 mm (spline, rounded;
mask linear), re-segmentation, discretization, features. Cases are folders of ../shared/data/ct.
"""

# ruff: noqa: T201 - a command prints its table

import argparse
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
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

from tests.phantoms.real_lesions import (
    CASES,
    MASK_THRESHOLD,
    Spacing,
    compare,
    lesions,
    measure,
)

RECORDED = Path(__file__).parents[1] / "phantoms" / "zrad_reference" / "lesions.json"


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


def record(cases: list[str]) -> dict[str, object]:
    """z-rad's values of every lesion, with what made them."""
    lesions_by_name = {}
    for case in cases:
        for number, voxels, mask, spacing in lesions(case):
            found = measure_with_zrad(voxels, mask, spacing, "AVER")
            found |= measure_with_zrad(voxels, mask, spacing, "MERG")
            lesions_by_name[f"{case} {number}"] = {k: float(v) for k, v in found.items()}
            print(
                f"{case} lesion {number}: {int(mask.sum())} voxels, {len(found)} values", flush=True
            )
    return {
        "made_by": "python -m tests.benchmarks.radiomics_agreement --record",
        "z-rad": version("z-rad"),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "SimpleITK": version("SimpleITK"),
        "lesions": lesions_by_name,
    }


def main() -> int:
    """Compare every lesion, or record z-rad's values; 1 when any feature differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=CASES)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    if arguments.record:
        text = json.dumps(record(list(arguments.cases)), indent=1)
        RECORDED.parent.mkdir(exist_ok=True)
        RECORDED.write_text(text + "\n", encoding="utf-8")
        return 0
    failed = 0
    for case in arguments.cases:
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
