"""Compile the radiomics core with the C compiler that ships inside the ``ziglang`` wheel.

The wheel build calls this from ``hatch_build.py``, a source checkout from
``python -m engine.radiomics.build``. This module imports the standard library only, because the
build hook loads it before HepatoCast's dependencies are there.
"""

import platform
import subprocess
import sys
from pathlib import Path

SOURCE_FOLDER = Path(__file__).parent / "core"
LIBRARY_STEM = "_core"
FLAGS = (
    "-std=gnu11",
    "-O3",
    "-g0",
    "-ffp-contract=off",
    "-fvisibility=hidden",
    "-fno-sanitize=all",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-shared",
)
"""No -ffast-math and no contraction: every processor computes the same bits."""
X86_64_LEVELS = ("x86_64", "x86_64_v3")
"""Instruction sets on x86-64; the loader takes the best one that the processor has."""


class CoreBuildError(RuntimeError):
    """The C compiler is missing or refused the sources."""


def library_names(target: str) -> tuple[str, ...]:
    """File names of the libraries for a Zig target triple, most portable first."""
    architecture = target.split("-", 1)[0]
    suffix = ".dll" if "windows" in target else ".dylib" if "macos" in target else ".so"
    levels = X86_64_LEVELS if architecture == "x86_64" else (architecture,)
    return tuple(f"{LIBRARY_STEM}_{level}{suffix}" for level in levels)


def host_target() -> str:
    """Zig target triple of this machine.

    Raises:
        CoreBuildError: The machine is none of those HepatoCast is built for.
    """
    machines = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
    systems = {"linux": "linux-gnu.2.17", "windows": "windows-gnu", "darwin": "macos.11.0"}
    machine, system = platform.machine().lower(), platform.system().lower()
    if machine not in machines or system not in systems:
        raise CoreBuildError(
            f"No radiomics core for {system} on {machine}; known: "
            f"{', '.join(systems)} on {', '.join(sorted(set(machines.values())))}"
        )
    return f"{machines[machine]}-{systems[system]}"


def compile_core(folder: Path, target: str) -> list[Path]:
    """Compile the core for a target.

    Args:
        folder: Where the libraries go.
        target: Zig target triple ("x86_64-linux-gnu.2.17").

    Returns:
        The libraries, most portable first.

    Raises:
        CoreBuildError: ``ziglang`` is not installed or the compiler failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    libraries = [folder / name for name in library_names(target)]
    for library in libraries:
        _compile(library, target)
    return libraries


def _compile(library: Path, target: str) -> None:
    level = library.stem.removeprefix(f"{LIBRARY_STEM}_")
    processor = ["-mcpu=" + level] if level in X86_64_LEVELS else []
    sources = [str(path) for path in sorted(SOURCE_FOLDER.glob("*.c"))]
    math_library = [] if "windows" in target else ["-lm"]
    unfinished = library.with_name(library.name + ".new")
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, *processor, *FLAGS]
    command += [*sources, "-o", str(unfinished), *math_library]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command, no input from outside
    if done.returncode != 0:
        raise CoreBuildError(
            f"Compiling {library.name} for {target} failed; `pip install ziglang` provides the "
            f"compiler. It said:\n{done.stderr}"
        )
    unfinished.replace(library)
