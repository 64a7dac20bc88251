"""From edited segments in the scene to a job file for ``hepatocast measure``."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HepatoCastLib import exchange, history, outputs
from HepatoCastLib.errors import ExchangeError
from HepatoCastLib.segments import LIVER_IDENTIFIER
from HepatoCastLib.staging import Choices, FindFile, stage_study

ACCEPTED, REJECTED, NOT_REVIEWED = "accepted", "rejected", "not reviewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What the person at the panel says.

    Attributes:
        observer: Name; empty when nobody verifies.
        organization: Of the observer.
        decisions: Segment ID to ACCEPTED, REJECTED or NOT_REVIEWED.
    """

    observer: str = ""
    organization: str = ""
    decisions: tuple[tuple[str, str], ...] = ()


def stage_correction(
    segmentation: Any, choices: Choices, review: Review, folder: Path, find_file: FindFile
) -> Iterator[None]:
    """Write segments, earlier results and job file below a folder, in short steps.

    Raises:
        ExchangeError: The segments cannot be measured as they are.
    """
    volume = segmentation.GetNodeReference(outputs.VOLUME_REFERENCE)
    packs = history.kept_packs()
    if volume is None or not packs:
        raise ExchangeError("The scene holds no automatic result to correct; run first")
    if segmentation.GetParentTransformNode() is not None:
        raise ExchangeError(
            "The segmentation hangs below a transform; harden it in the Data module"
        )
    job: dict[str, Any] = {"out": str(folder / "result"), "earlier": []}
    for number, pack in enumerate(packs):
        path = folder / f"earlier-{number}.txt"
        path.write_text(pack, encoding="ascii")
        job["earlier"].append({"pack": str(path), "folder": str(folder / f"earlier-{number}")})
        yield
    volumes = history.volumes_behind(segmentation)
    yield from stage_study(volumes, folder, find_file, job)
    grid = exchange.grid_of(volume)
    drawing: dict[str, Any] = {
        "file": str(folder / "drawing.seg.nrrd"),
        "shape": list(grid.shape),
        "affine": grid.affine.tolist(),
        "segments": [],
    }
    names: dict[str, str] = {}
    for identifier in measured_segments(segmentation):
        mask = folder / f"segment-{len(drawing['segments'])}.npy"
        corner = yield from exchange.save_segment(segmentation, identifier, grid, mask)
        if corner is not None:
            entry = describe(segmentation, identifier)
            names[identifier] = entry["tracking_uid"] or entry["name"]
            drawing["segments"].append({**entry, "mask": str(mask), "corner": list(corner)})
    job["drawing"] = drawing
    job["arguments"] = measure_arguments(folder, job, choices, review, names)
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")


def describe(segmentation: Any, identifier: str) -> dict[str, str]:
    """Name, identity and meaning of a segment."""
    segment = segmentation.GetSegmentation().GetSegment(identifier)
    return {
        "name": segment.GetName(),
        "tracking_uid": exchange.tag_of(segment, "TrackingUID"),
        "meaning": "liver" if identifier == LIVER_IDENTIFIER else "lesion",
    }


def measured_segments(segmentation: Any) -> list[str]:
    """The liver, the lesions and whatever the user added; not what has a meaning of its own.

    Raises:
        ExchangeError: The liver is gone.
    """
    if segmentation.GetSegmentation().GetSegment(LIVER_IDENTIFIER) is None:
        raise ExchangeError("The segmentation has no liver segment any more; undo its removal")
    return [LIVER_IDENTIFIER, *(identifier for identifier, _ in lesions_of(segmentation))]


def lesions_of(segmentation: Any) -> list[tuple[str, str]]:
    """Segment ID and name of every lesion of a segmentation."""
    held = segmentation.GetSegmentation()
    found = [held.GetNthSegmentID(number) for number in range(held.GetNumberOfSegments())]
    return [
        (name, held.GetSegment(name).GetName())
        for name in found
        if name != LIVER_IDENTIFIER and exchange.is_measured(held.GetSegment(name), name)
    ]


def measure_arguments(
    folder: Path, job: dict[str, Any], choices: Choices, review: Review, names: dict[str, str]
) -> list[str]:
    """The command line of ``hepatocast measure``."""
    arguments = ["measure", str(folder / "study"), "--out", job["out"], "--json-lines"]
    arguments += ["--seg", job["drawing"]["file"]]
    for earlier in job["earlier"]:
        arguments += ["--predecessor", str(Path(earlier["folder"]) / "sr.dcm")]
    for identifier, decision in review.decisions:
        option = {ACCEPTED: "--accept", REJECTED: "--reject"}.get(decision)
        if option and identifier in names:
            arguments += [option, names[identifier]]
    if review.observer:
        arguments += ["--observer", review.observer, "--organization", review.organization]
    if choices.model:
        arguments += ["--model", choices.model]
    if choices.clinical_file:
        arguments += ["--clinical", choices.clinical_file]
    return arguments
