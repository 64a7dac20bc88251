"""Install without a compiler, as in a bare container: ``make test-install``.

    python -m tests.packaging.install

Builds the sdist from this checkout and installs it, and then the wheel that this makes, each into
a fresh virtual environment. While that runs PATH holds one folder with nothing but Python, so no
cc, gcc or make can be found; pip builds in its own isolated environment, where the build
requirement ziglang brings the compiler. What was installed then measures the digital phantom of
IBSI, away from the checkout, and the number must be the published one. Ends with 1 otherwise.
"""

# ruff: noqa: T201 - a command prints what it does

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPILERS = ("cc", "gcc", "clang", "c99", "make", "ld", "zig")
CHECK = """
import sys, shutil
import numpy as np
import engine
from engine.radiomics import Family, Interpolation, RadiomicsSettings, extract_features
from engine.radiomics.settings import Discretization, DiscretizationMethod
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ContrastPhase
found = [name for name in sys.argv[1].split(",") if shutil.which(name)]
assert not found, f"on PATH: {found}"
assert sys.prefix in engine.__file__, engine.__file__
voxels, mask = (np.array(x.split(), float).reshape(4, 4, 5) for x in (sys.argv[2], sys.argv[3]))
one = Discretization(DiscretizationMethod.FIXED_BIN_SIZE, 1.0)
result = extract_features(
    voxels, mask > 0,
    VolumeGeometry(
        shape=(4, 4, 5), spacing=VoxelSpacing(slice_mm=2.0, row_mm=2.0, column_mm=2.0),
        origin_mm=(0.0, 0.0, 0.0), slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0), column_direction=(1.0, 0.0, 0.0),
    ),
    RadiomicsSettings(
        interpolation=Interpolation.NONE, resegmentation_range=None, discretization=one,
        families=(Family.MORPHOLOGY, Family.COOCCURRENCE),
    ),
    region="phantom", phase=ContrastPhase.UNKNOWN,
)
values = {(f.name, f.aggregation): f.value for f in result.features}
print(f"{values['Volume (mesh)', '']:.1f} {values['Contrast', '3D, merged']:.2f}")
"""
PUBLISHED = "556.3 5.12"
"""Volume (mesh) 556 mm³ and merged 3D contrast 5.12 of the digital phantom (IBSI 1)."""


def run(command: list[str], path: Path, where: Path) -> str:
    """Run a command that finds nothing but Python."""
    environment = {k: v for k, v in os.environ.items() if k not in {"CC", "CXX", "PYTHONPATH"}}
    environment |= {"PATH": str(path), "PIP_CACHE_DIR": str(where / "cache")}
    done = subprocess.run(
        command, cwd=where, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:6])} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout.strip()


def bare_path(where: Path) -> Path:
    """A folder with nothing but Python in it."""
    path = where / "bin"
    path.mkdir()
    for name in ("python", "python3"):
        (path / name).symlink_to(Path(sys.executable).resolve())
    return path


def install(distribution: Path, name: str, where: Path, path: Path) -> bool:
    """Install a distribution into a fresh environment and measure the phantom there."""
    from tests.phantoms.ibsi import DIGITAL_IMAGE, DIGITAL_MASK  # noqa: PLC0415

    start = time.perf_counter()
    environment = where / name
    python = environment / "bin" / "python"
    run([str(path / "python3"), "-m", "venv", str(environment)], path, where)
    run([str(python), "-m", "pip", "install", "-q", str(distribution)], path, where)
    texts = [" ".join(planes) for planes in (DIGITAL_IMAGE, DIGITAL_MASK)]
    measured = run([str(python), "-c", CHECK, ",".join(COMPILERS), *texts], path, where)
    right = measured == PUBLISHED
    seconds = time.perf_counter() - start
    print(f"{name}: {distribution.name} installed in {seconds:.0f} s, measured {measured} "
          f"({'as published' if right else f'published {PUBLISHED}'})", flush=True)  # fmt: skip
    return right


def main() -> int:
    """From the sdist, then from the wheel built of it."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        path = bare_path(where)
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(where)],
            cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip
        sdist = next(where.glob("*.tar.gz"))
        right = install(sdist, "sdist", where, path)
        python = where / "sdist" / "bin" / "python"
        command = [str(python), "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(where)]
        run([*command, str(sdist)], path, where)
        return int(not (install(next(where.glob("*.whl")), "wheel", where, path) and right))


if __name__ == "__main__":
    sys.exit(main())
