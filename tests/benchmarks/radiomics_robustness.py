"""What libraries do with regions that cannot be measured: ``make robustness-radiomics``.

    python -m tests.benchmarks.radiomics_robustness [--library NAME ...]

Every library gets the same small CT and mask, changed as the case says. A cell tells what came
back: the error's type, or how many values, how many of them NaN (and whether each NaN says why),
and, where the library gave numbers for a case that it should have noticed, whether they are the
numbers of the unchanged region ("as unchanged") or others ("changed"). Each library runs in a
process of its own, so that a crash is a finding too.
"""

# ruff: noqa: T201 - a command prints its table

import argparse
import json
import math
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tests.benchmarks.radiomics_peers import (
    LIBRARIES,
    REASON,
    STRAIGHT,
    Library,
    Region,
    installed,
)

SHAPE = (24, 40, 40)
CENTER = (12, 20, 20)
TIMEOUT_S = 900


def normal_region() -> Region:
    """A ball of 10 mm in noisy tissue."""
    voxels = np.random.default_rng(3).normal(60, 20, SHAPE).round().astype(np.float64)
    positions = np.indices(SHAPE) - np.array(CENTER)[:, None, None, None]
    millimeters = positions * np.array([1.5, 0.8, 0.8])[:, None, None, None]
    mask = (millimeters**2).sum(axis=0) <= 100
    return Region(voxels=voxels, mask=mask, spacing_mm=(1.5, 0.8, 0.8))


def cases() -> dict[str, Region]:
    """Every case by name; the first is the unchanged region."""
    plain = normal_region()
    single, plane = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    single[CENTER] = True
    plane[CENTER[0]] = plain.mask[CENTER[0]]

    def with_value(value: float, where: tuple[int, int, int]) -> Region:
        voxels = plain.voxels.copy()
        voxels[where] = value
        return replace(plain, voxels=voxels)

    beside = (CENTER[0], CENTER[1], CENTER[2] + 15)
    shear = ((0.0, 0.3, 1.0), STRAIGHT[1], STRAIGHT[2])
    scaled = (STRAIGHT[0], (0.0, 1.1, 0.0), STRAIGHT[2])
    return {
        "normal": plain,
        "one voxel": replace(plain, mask=single, spacing_mm=(1.0, 1.0, 1.0)),
        "one slice": replace(plain, mask=plane, spacing_mm=(1.0, 0.8, 0.8)),
        "empty": replace(plain, mask=np.zeros(SHAPE, bool)),
        "flat": replace(plain, voxels=np.full(SHAPE, 60.0)),
        "NaN inside": with_value(np.nan, CENTER),
        "NaN 2 mm outside": with_value(np.nan, beside),
        "inf inside": with_value(np.inf, CENTER),
        "mask shifted 3 mm": replace(plain, mask_origin_mm=(3.0, 0.0, 0.0)),
        "sheared directions": replace(plain, directions=shear),
        "directions of length 1.1": replace(plain, directions=scaled),
    }


def summarize(found: Mapping[str, float], unchanged: Mapping[str, float] | None) -> str:
    """What came back, as one cell of the table."""
    missing = [name for name, value in found.items() if not math.isfinite(value)]
    explained = [name for name in missing if REASON in name]
    cell = f"{len(found)} values"
    if missing:
        why = "each with its reason" if len(explained) == len(missing) else "no reason given"
        cell += f", {len(missing)} not finite {why}"
    if unchanged is not None and len(missing) < len(found):
        same = all(
            math.isclose(found[name], value, rel_tol=1e-9) or math.isnan(value)
            for name, value in unchanged.items()
            if name in found and math.isfinite(found[name])
        )
        cell += ", as unchanged" if same else ", changed"
    return cell


COMPARED = frozenset(
    {
        "NaN inside",
        "NaN 2 mm outside",
        "inf inside",
        "mask shifted 3 mm",
        "sheared directions",
        "directions of length 1.1",
    }
)


def measure_cases(library: Library, skip: int) -> None:
    """Print one JSON line per case, in the library's own process."""
    warnings.simplefilter("ignore")
    regions = cases()
    unchanged = dict(library.measure(regions["normal"]))
    for name, region in list(regions.items())[skip:]:
        try:
            found = library.measure(region)
            cell = summarize(found, unchanged if name in COMPARED else None)
        except Exception as error:  # noqa: BLE001 - whatever a library raises is the finding
            cell = (
                f"{type(error).__name__}: {str(error).splitlines()[0][:60] if str(error) else ''}"
            )
        print(json.dumps({"case": name, "cell": cell}), flush=True)


def run(library: Library) -> dict[str, str]:
    """Cells of a library by case; a process that dies is started again behind the case."""
    names = list(cases())
    cells: dict[str, str] = {}
    while len(cells) < len(names):
        command = [sys.executable, "-m", __spec__.name, "--child", library.name]
        command.append(str(len(cells)))
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        lines = [x for x in done.stdout.splitlines() if x.startswith('{"case"')]
        cells |= {entry["case"]: entry["cell"] for entry in map(json.loads, lines)}
        if len(cells) < len(names):
            cells[names[len(cells)]] = f"process ended with {done.returncode}"
    return cells


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", nargs="*", default=[x.name for x in LIBRARIES])
    parser.add_argument("--child", nargs=2, metavar=("LIBRARY", "SKIP"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        library = next(x for x in LIBRARIES if x.name == arguments.child[0])
        measure_cases(library, int(arguments.child[1]))
        return
    here, missing = installed()
    for line in missing:
        print(f"not installed: {line}")
    for library in here:
        if library.name in arguments.library:
            print(f"\n{library.name} {library.version} ({library.note})")
            for name, cell in run(library).items():
                print(f"  {name:26} {cell}", flush=True)


if __name__ == "__main__":
    main()
