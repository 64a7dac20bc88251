"""Speed of radiomics beside other libraries: ``make bench-radiomics``.

    python -m tests.benchmarks.radiomics [--repeats N] [--peers-up-to CASE]

The CT is synthetic (noise with a scanner's texture), 512 x 512 x 300. What is timed is the whole
way from CT and mask to features: resampling to 1 mm, the original image, 5 Laplacians of Gaussian
and 8 wavelet bands. CPU seconds count all threads; libraries take turns in one process and the
best of the repeats is printed. HepatoCast gets the whole CT. The others get the region with
30 mm around it, because some resample and filter all they get; a repeat that takes longer than
10 s is not repeated. MB is the peak of resident memory above what was there before.
"""

# ruff: noqa: T201 - a command prints its table

import argparse
import gc
import os
import platform
import resource
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.radiomics_peers import LIBRARIES, Library, Region, installed

SHAPE = (300, 512, 512)
SPACING_MM = (1.0, 0.75, 0.75)
CENTER_MM = (150.0, 190.0, 170.0)


@dataclass(frozen=True)
class Case:
    """One region and the seconds the issue asks for."""

    name: str
    radii_mm: tuple[float, float, float]
    moonshot_s: float
    required_s: float


CASES = (
    Case("3 cm tumor", (15.0, 15.0, 15.0), 0.025, 0.060),
    Case("10 cm tumor", (50.0, 50.0, 50.0), 0.6, 1.2),
    Case("liver 1.5 L", (70.0, 68.0, 75.0), 1.5, 3.0),
)


def synthetic_ct() -> NDArray[np.int16]:
    """Soft tissue with correlated noise of 20 HU."""
    noise = np.random.default_rng(1).normal(0.0, 1.0, SHAPE).astype(np.float32)
    for axis in (1, 2):
        noise = (noise + np.roll(noise, 1, axis) + np.roll(noise, -1, axis)) / np.sqrt(3.0)
    return (60 + 20 * noise).round().astype(np.int16)


def ellipsoid(radii_mm: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Mask of an ellipsoid at the fixed center."""
    z, y, x = (
        ((np.arange(n) * mm - center) / radius) ** 2
        for n, mm, center, radius in zip(SHAPE, SPACING_MM, CENTER_MM, radii_mm, strict=True)
    )
    return np.asarray(z[:, None, None] + y[:, None] + x <= 1)


def peak_megabytes(*, restart: bool = False) -> float:
    """Highest resident memory of this process, since the last restart where Linux tells."""
    status = Path("/proc/self/status")
    if not status.exists():
        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 2**20
    if restart:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    line = next(x for x in status.read_text(encoding="ascii").splitlines() if "VmHWM" in x)
    return float(line.split()[1]) / 1024


AROUND_MM = 30.0
LONG_S = 10.0


def crop(image: NDArray[np.int16], mask: NDArray[np.bool_]) -> Region:
    """The region with its surroundings, for libraries that work on all they get."""
    where = np.argwhere(mask)
    window = tuple(
        slice(max(0, int(low - AROUND_MM / mm)), int(high + AROUND_MM / mm) + 1)
        for low, high, mm in zip(where.min(axis=0), where.max(axis=0), SPACING_MM, strict=True)
    )
    return Region(
        voxels=np.ascontiguousarray(image[window]),
        mask=np.ascontiguousarray(mask[window]),
        spacing_mm=SPACING_MM,
        filtered=True,
    )


@dataclass
class Timing:
    """Best of the repeats of one library on one case."""

    values: int = 0
    cpu_s: float = float("inf")
    wall_s: float = float("inf")
    peak_mb: float = 0.0
    error: str = ""

    def add(self, library: Library, region: Region) -> None:
        """Measure once more."""
        gc.collect()
        before = peak_megabytes(restart=True)
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            self.values = len(library.measure(region))
        except Exception as error:  # noqa: BLE001 - another library's failure is a row
            self.error = f"{type(error).__name__}: {error}"[:60]
            return
        self.cpu_s = min(self.cpu_s, time.process_time() - cpu)
        self.wall_s = min(self.wall_s, time.perf_counter() - wall)
        self.peak_mb = max(self.peak_mb, peak_megabytes() - before)


def measure(case: Case, image: NDArray[np.int16], here: tuple[Library, ...], repeats: int) -> None:
    """Print the rows of one case."""
    mask = ellipsoid(case.radii_mm)
    whole = Region(voxels=image, mask=mask, spacing_mm=SPACING_MM, filtered=True)
    part = crop(image, mask)
    timings = {library.name: Timing() for library in here}
    for repeat in range(repeats):
        for library in here:
            timing = timings[library.name]
            if timing.error or (repeat and timing.cpu_s > LONG_S):
                continue
            timing.add(library, part if library.distribution else whole)
    ours = timings[LIBRARIES[0].name]
    print(f"\n{case.name}, {int(mask.sum())} voxels: required {case.required_s:.3f} CPU s, "
          f"moonshot {case.moonshot_s:.3f}")  # fmt: skip
    for library in here:
        t = timings[library.name]
        row = f"  {library.name:22} {library.version:>7}"
        if t.error:
            print(f"{row}  {t.error}")
            continue
        print(f"{row} {t.values:7d} {t.cpu_s:9.3f} {t.wall_s:9.3f} {t.peak_mb:8.0f} "
              f"{t.cpu_s / ours.cpu_s:8.1f}  {library.note}")  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peers-up-to", choices=[c.name for c in CASES], default="3 cm tumor")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    here, missing = installed()
    image = synthetic_ct()
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    print(f"{platform.machine()}, Python {platform.python_version()}, OMP_NUM_THREADS {threads}")
    for line in missing:
        print(f"not installed: {line}")
    print(f"  {'library':22} {'version':>7} {'values':>7} {'CPU s':>9} {'wall s':>9} {'MB':>8} "
          f"{'x ours':>8}")  # fmt: skip
    last = [c.name for c in CASES].index(arguments.peers_up_to)
    for k, case in enumerate(CASES):
        measure(case, image, here if k <= last else here[:1], arguments.repeats)


if __name__ == "__main__":
    main()
