"""Make the package: two ONNX files, manifest.toml, model card, license, reference case.

    python package.py LOCALIZER.onnx SEGMENTER.onnx --to models [--replace]

Run from the repository's root with the engine importable. MODEL_CARD.md and LICENSE are
taken from the folder of the manifest when they lie there.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.demo.anatomy import build_phantom
from engine.demo.parameters import DEMO_PARAMETERS, draw_parameters
from engine.demo.rendering import render_phase
from engine.model_package.importing import COMPANIONS, import_onnx
from engine.model_package.loading import load_package
from engine.self_test import record_reference_case, run_reference_case
from engine.values.geometry import VolumeGeometry
from engine.values.identity import ContrastPhase

REFERENCE_SEED = 77
REFERENCE_SHAPE, REFERENCE_SPACING_MM = (64, 120, 136), (4.0, 3.0, 3.0)
STEP_HU = 8
"""Gray values are rounded to this, so that the case compresses to well under 1 MB."""


def reference_volume() -> tuple[NDArray[np.int16], VolumeGeometry]:
    """A patient of the phantom population who is neither the demo's nor a training case."""
    if DEMO_PARAMETERS.seed == REFERENCE_SEED:
        raise SystemExit("The demo's seed must stay unseen")
    phantom = build_phantom(draw_parameters(REFERENCE_SEED), REFERENCE_SHAPE, REFERENCE_SPACING_MM)
    rng = np.random.default_rng(REFERENCE_SEED)
    voxels = render_phase(phantom, ContrastPhase.PORTAL_VENOUS, rng).clip(-160, 240)
    return (np.rint(voxels / STEP_HU) * STEP_HU).astype(np.int16), phantom.geometry


def make_package(localizer: Path, segmenter: Path, manifest: Path, destination: Path) -> Path:
    """Import once to segment the reference case, then again with it."""
    with tempfile.TemporaryDirectory() as scratch:
        source, trial = Path(scratch) / "source", Path(scratch) / "trial"
        source.mkdir()
        shutil.copyfile(localizer, source / "localizer.onnx")
        shutil.copyfile(segmenter, source / "segmenter.onnx")
        for name in COMPANIONS:
            if (manifest.parent / name).is_file():
                shutil.copyfile(manifest.parent / name, source / name)
        text = manifest.read_text("utf-8")
        draft = source / "draft.toml"
        draft.write_text(text.partition("[reference]")[0], "utf-8")
        package = load_package(import_onnx(source, draft, trial), search_paths=())
        voxels, geometry = reference_volume()
        record_reference_case(package, voxels, geometry, source / "reference" / "case.npz")
        draft.write_text(text, "utf-8")
        return import_onnx(source, draft, destination)


def main() -> None:
    """Make the package and run its reference case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("localizer", type=Path)
    parser.add_argument("segmenter", type=Path)
    parser.add_argument("--manifest", type=Path, default=Path(__file__).with_name("manifest.toml"))
    parser.add_argument("--to", type=Path, required=True, help="folder of packages")
    parser.add_argument("--replace", action="store_true", help="for a version not yet released")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        made = make_package(
            arguments.localizer, arguments.segmenter, arguments.manifest, Path(scratch)
        )
        final = arguments.to / made.parent.name / made.name
        if final.exists() and not arguments.replace:
            raise SystemExit(f"{final} exists; raise the version, or use --replace")
        report = run_reference_case(load_package(made, search_paths=()), device="cpu")
        for agreement in report.agreements:
            print(f"reference {agreement.name}: {agreement.expected_ml:.1f} mL")
        if not report.passed:
            raise SystemExit("The package does not reproduce its own reference case")
        shutil.rmtree(final, ignore_errors=True)
        final.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, final)
    size = sum(path.stat().st_size for path in final.rglob("*") if path.is_file())
    print(f"{final}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
