"""Build the wheels of all platforms here and look into each: ``make wheels``.

    python -m tests.packaging.wheels [--out FOLDER] [--only TRIPLE]

One row per wheel: its libraries, what the files are (executable format and machine, read from
their headers by LIEF), whether they export every function the loader asks for, and whether they
ran. The x86-64 Linux libraries are loaded here; the arm64 Linux library is called under
qemu-aarch64 where that is installed (Debian: qemu-user, libc6-arm64-cross) and must give the
bytes of the x86-64 one. Windows and macOS libraries are built and inspected, not run.
Ends with 1 when a wheel is wrong.
"""

# ruff: noqa: T201 - a command prints its table

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import lief
import numpy as np

from engine.radiomics.compilation import host_target, library_names
from engine.radiomics.native import _SIGNATURES

ROOT = Path(__file__).parents[2]
PACKAGE = "engine/radiomics"
DRIVER = Path(__file__).parent / "driver.c"
ARM_ROOT = Path("/usr/aarch64-linux-gnu")


@dataclass(frozen=True)
class Target:
    """A wheel to build."""

    triple: str
    tag: str
    kind: str


TARGETS = (
    Target("x86_64-linux-gnu.2.17", "manylinux_2_17_x86_64", "ELF x86_64"),
    Target("aarch64-linux-gnu.2.17", "manylinux_2_17_aarch64", "ELF aarch64"),
    Target("x86_64-windows-gnu", "win_amd64", "PE x86_64"),
    Target("x86_64-macos.11.0", "macosx_11_0_x86_64", "Mach-O x86_64"),
    Target("aarch64-macos.11.0", "macosx_11_0_arm64", "Mach-O aarch64"),
)


def build(target: Target, out: Path) -> Path:
    """Build one wheel from the source tree."""
    environment = os.environ | {"HEPATOCAST_BUILD_TARGET": target.triple}
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps"]
    command += ["--no-build-isolation", "-w", str(out), str(ROOT)]
    subprocess.run(command, env=environment, check=True)
    return next(path for path in out.glob("*.whl") if target.tag in path.name)


def inspect(path: Path) -> tuple[str, set[str]]:
    """Format and machine of a library, and the names it exports."""
    binary = lief.parse(str(path))
    if isinstance(binary, lief.ELF.Binary):
        machine = {"X86_64": "x86_64", "AARCH64": "aarch64"}[binary.header.machine_type.name]
        return f"ELF {machine}", {s.name for s in binary.exported_symbols}
    if isinstance(binary, lief.PE.Binary):
        machine = {"AMD64": "x86_64", "ARM64": "aarch64"}[binary.header.machine.name]
        return f"PE {machine}", {e.name for e in binary.get_export().entries}
    if isinstance(binary, lief.MachO.Binary):
        machine = {"X86_64": "x86_64", "ARM64": "aarch64"}[binary.header.cpu_type.name]
        return f"Mach-O {machine}", {s.name.removeprefix("_") for s in binary.exported_symbols}
    return "not a library", set()


def run_driver(library: Path, target: str, runner: list[str], folder: Path) -> bytes:
    """Compile the driver against a library and run it; its output is the features' bytes."""
    program = folder / f"driver-{library.stem}"
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-O1", str(DRIVER)]
    command += [str(library), "-o", str(program), f"-Wl,-rpath,{library.parent}", "-lm"]
    subprocess.run(command, check=True)
    return subprocess.run([*runner, str(program)], check=True, capture_output=True).stdout


def run_libraries(libraries: list[Path], target: Target, folder: Path) -> tuple[str, list[bytes]]:
    """Run the libraries of a wheel where this machine can."""
    if target.triple == host_target():
        outputs = [run_driver(path, target.triple, [], folder) for path in libraries]
        return "ran here", outputs
    emulator = shutil.which("qemu-aarch64")
    if target.kind == "ELF aarch64" and emulator and ARM_ROOT.exists():
        runner = [emulator, "-L", str(ARM_ROOT)]
        return "ran under qemu", [run_driver(libraries[0], target.triple, runner, folder)]
    return "not run", []


def check(target: Target, wheel: Path, folder: Path) -> tuple[list[str], str, list[bytes]]:
    """What is wrong with a wheel, whether it ran, and what the runs gave."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    libraries = [folder / PACKAGE / name for name in library_names(target.triple)]
    wrong = [f"{path.name} is missing" for path in libraries if not path.exists()]
    for path in libraries if not wrong else []:
        kind, exported = inspect(path)
        if kind != target.kind:
            wrong.append(f"{path.name} is {kind}, not {target.kind}")
        if lacking := set(_SIGNATURES) - exported:
            wrong.append(f"{path.name} lacks {', '.join(sorted(lacking))}")
    others = [p.name for p in (folder / PACKAGE).glob("_core*") if p not in libraries]
    wrong += [f"{name} does not belong here" for name in others]
    ran, outputs = run_libraries(libraries, target, folder) if not wrong else ("not run", [])
    return wrong, ran, outputs


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--only", choices=[t.triple for t in TARGETS], action="append")
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    failed = False
    results: list[bytes] = []
    for target in TARGETS:
        if arguments.only and target.triple not in arguments.only:
            continue
        wheel = build(target, out)
        with tempfile.TemporaryDirectory() as folder:
            wrong, ran, outputs = check(target, wheel, Path(folder))
        results += outputs
        size = wheel.stat().st_size / 2**20
        print(f"{wheel.name:76} {size:6.1f} MB  {target.kind:14} {ran:15} "
              f"{'; '.join(wrong) or 'every function there'}", flush=True)  # fmt: skip
        failed |= bool(wrong)
    if not results:
        return int(failed)
    numbers = [np.frombuffer(result) for result in results]
    worst = max(float(np.abs(n / numbers[0] - 1).max()) for n in numbers)
    same = sum(result == results[0] for result in results)
    print(f"{len(results)} libraries ran: {same} give the same bytes, largest relative difference "
          f"{worst:.1e} of {len(numbers[0])} numbers")  # fmt: skip
    return int(failed or worst > 1e-12)


if __name__ == "__main__":
    sys.exit(main())
