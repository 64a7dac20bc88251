"""From a volume in the scene to a job file for the engine."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HepatoCastLib import exchange
from HepatoCastLib.errors import ExchangeError
from HepatoCastLib.grid import Grid

FindFile = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user chose for a run.

    Attributes:
        model: Package name, perhaps "@version"; empty for the engine's default.
        force_cpu: Never use the graphics card.
        clinical_file: Spreadsheet with clinical values; empty for none.
    """

    model: str = ""
    force_cpu: bool = False
    clinical_file: str = ""


def stage_job(
    volumes: tuple[Any, ...], choices: Choices, folder: Path, find_file: FindFile
) -> Iterator[None]:
    """Write input and job file below a folder, in steps short enough for a UI thread.

    DICOM volumes are handed over as links to their own files, so SEG and SR name the source
    images; one plain volume goes as voxels, which the job turns into a series.

    Args:
        volumes: Volume nodes, one per contrast phase.
        choices: Options of the run.
        folder: An empty folder.
        find_file: File of a SOP Instance UID, from Slicer's DICOM database; "" if unknown.

    Raises:
        ExchangeError: The volumes cannot be handed over as they are.
    """
    job: dict[str, Any] = {
        "arguments": engine_arguments(folder / "study", folder / "result", choices),
        "out": str(folder / "result"),
    }
    yield from stage_study(volumes, folder, find_file, job)
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")


def stage_study(
    volumes: tuple[Any, ...], folder: Path, find_file: FindFile, job: dict[str, Any]
) -> Iterator[None]:
    """Put the images into ``folder / "study"``, or tell the job how to make them.

    Raises:
        ExchangeError: The volumes cannot be handed over as they are.
    """
    study = folder / "study"
    study.mkdir()
    dicom = [volume for volume in volumes if exchange.instance_uids(volume)]
    if len(dicom) == len(volumes):
        for volume in volumes:
            yield from link_series(volume, study, find_file)
    elif len(volumes) == 1:
        grid = exchange.grid_of(volumes[0])
        yield from exchange.save_voxels(volumes[0], folder / "voxels.npy")
        job["voxels"] = {
            "file": str(folder / "voxels.npy"),
            "folder": str(study),
            "affine": grid.affine.tolist(),
            "key": volume_key(grid, volumes[0].GetName()),
        }
    else:
        raise ExchangeError("Several phases need DICOM-loaded volumes; load them from DICOM")


def engine_arguments(study: Path, out: Path, choices: Choices) -> list[str]:
    """The command line of ``hepatocast analyze`` for these choices."""
    arguments = ["analyze", str(study), "--out", str(out), "--json-lines"]
    if choices.force_cpu:
        arguments += ["--device", "cpu"]
    if choices.model:
        arguments += ["--model", choices.model]
    if choices.clinical_file:
        arguments += ["--clinical", choices.clinical_file]
    return arguments


def link_series(volume: Any, study: Path, find_file: FindFile) -> Iterator[None]:
    """Link the files a volume was loaded from, a few per step.

    Raises:
        ExchangeError: The DICOM database no longer knows an image.
    """
    exchange.grid_of(volume)
    for number, uid in enumerate(exchange.instance_uids(volume)):
        source = find_file(uid)
        if not source or not Path(source).is_file():
            raise ExchangeError(
                f"Image {uid} is no longer in the DICOM database; import the study again"
            )
        link_or_copy(Path(source), study / f"{volume.GetID()}-{number:05d}.dcm")
        if number % 8 == 7:
            yield


def link_or_copy(source: Path, target: Path) -> None:
    """A symbolic link; a copy where the system allows none (Windows without the right)."""
    try:
        target.symlink_to(source)
    except OSError:
        target.write_bytes(source.read_bytes())


def volume_key(grid: Grid, name: str) -> str:
    """Identity of a plain volume: the same volume gives the same UIDs."""
    return hashlib.sha256(f"{name}{grid.shape}{grid.affine.tolist()}".encode()).hexdigest()
