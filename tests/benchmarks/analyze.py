"""Time and peak memory of one whole analysis, as a table (`make bench`).

    python tests/benchmarks/analyze.py [--study FOLDER] [--device auto|cpu|cuda] [--model PKG]

Without --study a phantom of 512 × 512 × 300 voxels, 1.0 × 0.75 × 0.75 mm, portal venous, is
rendered and written as uncompressed DICOM first (not timed). The analysis runs in a process
of its own, so its peak memory is its own. Files are warm in the page cache.
"""

# ruff: noqa: T201, PLC0415 - a command prints; only what is measured is imported to measure it

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # the benchmark may run from a checkout that is not installed

SHAPE, SPACING_MM = (300, 512, 512), (1.0, 0.75, 0.75)
SEED = 4242
ROWS = (
    ("load + assemble", ("series", "volume"), 3.0),
    ("segmentation", ("segmentation",), 45.0),
    ("lesions + radiomics", ("lesions", "radiomics"), None),
    ("SEG + SR + SC + PDF", ("reporting",), 4.0),
)
MEMORY_TARGET_GB = 3.0


def write_study(folder: Path) -> None:
    """Write one portal venous series of the phantom population as DICOM."""
    import numpy as np

    from engine.demo.acquisition import PHASE_SCANS
    from engine.demo.anatomy import build_phantom
    from engine.demo.headers import phase_header, slice_image, study_header
    from engine.demo.parameters import draw_parameters
    from engine.demo.rendering import render_phase
    from engine.values.identity import ContrastPhase

    scan = next(scan for scan in PHASE_SCANS if scan.phase is ContrastPhase.PORTAL_VENOUS)
    phantom = build_phantom(draw_parameters(SEED), SHAPE, SPACING_MM)
    voxels = render_phase(phantom, scan.phase, np.random.default_rng(SEED))
    header = phase_header(study_header("benchmark"), "benchmark", scan, phantom.geometry)
    for number, plane in enumerate(voxels[::-1], start=1):
        z_mm = phantom.geometry.origin_mm[2] + (len(voxels) - number) * SPACING_MM[0]
        image = slice_image(header, "benchmark", plane, (number, z_mm))
        image.save_as(folder / f"I{number:04d}.dcm", enforce_file_format=True)


def measure(study: Path, out: Path, device: str, model: str) -> dict[str, object]:
    """Analyze in this process; give seconds per stage, peak memory and versions."""
    from engine.cli.request import AnalyzeRequest, finish, start

    request = AnalyzeRequest(study=study, out=out, model=model, device=device)  # type: ignore[arg-type]
    outcome = finish(start(request, lambda _stage, _fraction, _text: None))
    result = outcome.result
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": outcome.seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_gb": used.ru_maxrss / 2**20,
        "shape": result.reference.geometry.shape,
        "liver_ml": result.findings.burden.liver_volume_ml,
        "lesions": len(result.findings.lesions),
        "model": f"{result.model.name} {result.model.version}",
        "provider": f"{result.device.execution_provider} ({result.device.description})",
        "onnxruntime": result.device.onnxruntime_version,
    }


def measure_apart(study: Path, device: str, model: str) -> dict[str, object]:
    """Run ``measure`` in a fresh process."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, __file__, "--measure", scratch, "--study", str(study)]
        command += ["--device", device, "--model", model]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        raise SystemExit("The analysis failed; see above")
    report: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return report


def cpu_name() -> str:
    """Give the CPU's name and how many of its cores this process may use."""
    info = Path("/proc/cpuinfo")
    names = [
        line.partition(":")[2].strip()
        for line in (info.read_text().splitlines() if info.is_file() else [])
        if line.startswith("model name")
    ]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{names[0] if names else platform.processor()}, {cores} cores"


def table(report: dict[str, object]) -> str:
    """Lay the measurement out beside the targets."""
    seconds: dict[str, float] = report["seconds"]  # type: ignore[assignment]
    rows = [("stage", "measured", "target")]
    for name, stages, target in ROWS:
        spent = sum(seconds.get(stage, 0.0) for stage in stages)
        rows.append((name, f"{spent:.1f} s", "" if target is None else f"≤ {target:g} s"))
    rows.append(("all stages", f"{sum(seconds.values()):.1f} s", ""))
    rows.append(("CPU time of process", f"{report['cpu_seconds']:.1f} s", ""))
    rows.append(("peak RSS", f"{report['peak_gb']:.2f} GB", f"≤ {MEMORY_TARGET_GB:g} GB"))
    shape = " × ".join(map(str, report["shape"]))  # type: ignore[call-overload]
    facts = (
        ("volume", f"{shape}, liver {report['liver_ml']:.0f} mL, {report['lesions']} lesions"),
        ("model", report["model"]),
        ("CPU", cpu_name()),
        ("provider", report["provider"]),
        (
            "versions",
            f"Python {platform.python_version()}, onnxruntime {report['onnxruntime']}, "
            f"numpy {version('numpy')}, SimpleITK {version('SimpleITK')}",
        ),
        ("load after", " ".join(f"{load:.2f}" for load in os.getloadavg())),
    )
    lines = [f"{a:<22}{b:>12}  {c}".rstrip() for a, b, c in rows]
    return "\n".join([*lines, "", *(f"{name:<12}{value}" for name, value in facts)])


def main() -> None:
    """Write the study when none is given, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--study", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--model", default="liver_tumor_ct", help="name, or package folder")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        out = arguments.measure / "out"
        print(json.dumps(measure(arguments.study, out, arguments.device, arguments.model)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        study = arguments.study
        if study is None:
            study = Path(scratch)
            write_study(study)
        print(table(measure_apart(study, arguments.device, arguments.model)))


if __name__ == "__main__":
    main()
