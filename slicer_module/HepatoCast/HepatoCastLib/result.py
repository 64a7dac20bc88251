"""A finished result folder as values; nothing here knows Slicer or Qt."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from HepatoCastLib.errors import ResultError
from HepatoCastLib.grid import Grid
from HepatoCastLib.segments import Segment, read_segment

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run of the engine found.

    Attributes:
        folder: Where the engine wrote it.
        record: result.json as written (schema engine/reporting/result.schema.json).
        grid: The grid of ``labels``.
        labels: 1 liver, n + 1 lesion n, [slice, row, column]; memory-mapped.
        segments: One per label, with the box that holds it.
        pack: The result as text that a saved scene keeps (HepatoCastLib.keeping).
    """

    folder: Path
    record: dict[str, Any] = field(repr=False)
    grid: Grid
    labels: NDArray[np.uint16] = field(repr=False)
    segments: tuple[tuple[Segment, Box], ...] = field(repr=False)
    pack: str = field(repr=False)


def read_result(folder: Path) -> Result:
    """Open a result folder that the job has unpacked.

    Raises:
        ResultError: A file is missing or not readable.
    """
    try:
        record = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        lines = json.loads((folder / "segments.json").read_text(encoding="utf-8"))
        labels = np.load(folder / "labels.npy", mmap_mode="r")
        pack = (folder / "kept.txt").read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise ResultError(f"The result folder is incomplete: {error}; run again") from error
    if record["status"] != "analyzed":
        raise ResultError(f"Not analyzed: {record['reason']}")
    segments = tuple((read_segment(line), _box(line["box"])) for line in lines)
    found = {segment.number - 1 for segment, _ in segments if segment.number > 1}
    listed = {lesion["number"] for lesion in record["lesions"]}
    if found != listed:
        raise ResultError(f"SEG holds lesions {sorted(found)}, result.json {sorted(listed)}")
    grid = read_grid(record["reference"]["geometry"])
    return Result(
        folder=folder, record=record, grid=grid, labels=labels, segments=segments, pack=pack
    )


def read_grid(geometry: dict[str, Any]) -> Grid:
    """The grid of result.json's "geometry"."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(geometry["directions"]).T * np.array(geometry["spacing_mm"])
    affine[:3, 3] = geometry["origin_mm"]
    slices, rows, columns = geometry["shape"]
    return Grid(
        shape=(slices, rows, columns),
        affine=affine,
        frame_of_reference_uid=geometry["frame_of_reference_uid"],
    )


def _box(spans: list[list[int]]) -> Box:
    first, second, third = (slice(start, stop) for start, stop in spans)
    return first, second, third
