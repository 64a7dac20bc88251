"""Write random phantoms (never the demo's own seed) as further training cases.

    python phantoms.py OUT --count 40 --first-seed 1000
"""

import argparse
from pathlib import Path

import numpy as np
from prepare import GRIDS

from engine.demo.anatomy import build_phantom
from engine.demo.parameters import DEMO_PARAMETERS, draw_parameters
from engine.demo.rendering import render_phase
from engine.values.identity import ContrastPhase

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
    fine = GRIDS["segmenter"]
    phantom = build_phantom(draw_parameters(seed), (128, 240, 272), fine)
    hu = render_phase(phantom, PHASES[phase][0], rng)
    label = phantom.segmentation_labels
    for grid in GRIDS:
        (out / grid).mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out / "segmenter" / f"phantom_{seed}.npz", hu=hu.clip(-160, 240), label=label, marked=True
    )
    # 2.0 x 1.5 x 1.5 to 4 mm: mean of two slices; every 8/3 pixels in plane
    rows = np.round((np.arange(90) + 0.5) * 8 / 3 - 0.5).astype(int)
    columns = np.round((np.arange(102) + 0.5) * 8 / 3 - 0.5).astype(int)
    smooth = hu.astype(np.float32).clip(-160, 240)
    for axis in (1, 2):
        smooth = (np.roll(smooth, 1, axis) + smooth + np.roll(smooth, -1, axis)) / 3
    smooth = smooth.reshape(64, 2, *smooth.shape[1:]).mean(1)
    coarse = smooth[:, rows][:, :, columns]
    mask = label[::2][:, rows][:, :, columns]
    np.savez_compressed(
        out / "localizer" / f"phantom_{seed}.npz",
        hu=np.round(coarse).astype(np.int16),
        label=mask,
        marked=True,
    )


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
        print("phantom", seed)  # noqa: T201 - progress of a command


if __name__ == "__main__":
    main()
