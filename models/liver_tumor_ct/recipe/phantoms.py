"""Write random phantoms (never the demo's own seed) as further training cases.

python phantoms.py OUT --count 40 --first-seed 1000
"""

import argparse
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from prepare import GRIDS, to_grid

from engine.demo.anatomy import build_phantom
from engine.demo.parameters import DEMO_PARAMETERS, draw_parameters
from engine.demo.rendering import render_phase
from engine.values.identity import ContrastPhase

BUILD_SPACING_MM = (2.0, 1.5, 1.5)
PHASES = (
    (ContrastPhase.PORTAL_VENOUS, 0.65),
    (ContrastPhase.DELAYED, 0.15),
    (ContrastPhase.LATE_ARTERIAL, 0.15),
    (ContrastPhase.NON_CONTRAST, 0.05),
)


def write_case(seed: int, out: Path) -> None:
    """One phantom, one phase, on both grids."""
    rng = np.random.default_rng(seed)
    phase = rng.choice(len(PHASES), p=[share for _, share in PHASES])
    phantom = build_phantom(draw_parameters(seed), (128, 240, 272), BUILD_SPACING_MM)
    hu = render_phase(phantom, PHASES[phase][0], rng)
    for grid, spacing in GRIDS.items():
        (out / grid).mkdir(parents=True, exist_ok=True)
        image = as_image(hu.clip(-160, 240).astype(np.float32))
        label = as_image(phantom.segmentation_labels)
        np.savez_compressed(
            out / grid / f"phantom_{seed}.npz",
            hu=np.round(sitk.GetArrayFromImage(to_grid(image, spacing, is_label=False))).astype(
                np.int16
            ),
            label=sitk.GetArrayFromImage(to_grid(label, spacing, is_label=True)),
            marked=True,
        )


def as_image(array: NDArray[np.generic]) -> sitk.Image:
    """An array on the phantom's own grid."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(BUILD_SPACING_MM[::-1])
    return image


def main() -> None:
    """Write ``count`` phantoms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=1000)
    arguments = parser.parse_args()
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.count):
        if seed == DEMO_PARAMETERS.seed:
            raise SystemExit("The demo's seed must stay unseen")
        write_case(seed, arguments.out)
        print("phantom", seed)


if __name__ == "__main__":
    main()
