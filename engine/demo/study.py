"""The demo's four-phase liver CT study as DICOM files, with its truth beside it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from engine.demo.acquisition import DEMO_GRID, PHASE_SCANS, Grid, PhaseScan
from engine.demo.anatomy import Phantom, build_phantom
from engine.demo.clinical import write_demo_clinical
from engine.demo.companions import dose_page, draw_dose_page, localizer_image
from engine.demo.headers import phantom_uid, phase_header, slice_image, study_header
from engine.demo.parameters import DEMO_PARAMETERS, PhantomParameters
from engine.demo.rendering import render_phase
from engine.demo.truth import Truth, save_truth, truth_of
from engine.errors import OutputError
from engine.values.identity import ContrastPhase

Progress = Callable[[float, str], None]
DICOM_FOLDER, TRUTH_FILE, CLINICAL_FILE = "dicom", "truth.npz", "clinical.csv"
BUILD_SHARE = 0.3
PHANTOM_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStudy:
    """A written study.

    Attributes:
        folder: Holds ``dicom/``, ``truth.npz`` and ``clinical.csv``.
        dicom_folder: What to analyze.
        truth_file: What to compare with.
        clinical_file: Laboratory values of the patient.
        truth: The same as ``truth_file``, in memory.
        instances: DICOM files written.
    """

    folder: Path
    dicom_folder: Path
    truth_file: Path
    clinical_file: Path
    truth: Truth = field(repr=False)
    instances: int


def _silent(_fraction: float, _text: str) -> None:
    """Show nothing."""


def write_demo_study(
    folder: Path,
    parameters: PhantomParameters = DEMO_PARAMETERS,
    grid: Grid = DEMO_GRID,
    progress: Progress = _silent,
) -> DemoStudy:
    """Build the phantom, render its phases and write everything as one DICOM study.

    Equal parameters and grid give byte-identical files. The folder appears by rename
    when all is written; an earlier study of this function there is replaced.

    Args:
        folder: Where ``dicom/`` and ``truth.npz`` go; its parent must exist.
        parameters: The patient.
        grid: Of all four phases.
        progress: Told a fraction from 0 to 1 and what is being done.

    Raises:
        OutputError: The folder holds something else, or cannot be written.
    """
    _refuse_foreign(folder)
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        (partial / DICOM_FOLDER).mkdir(parents=True)
        truth, instances = _write_all(partial, parameters, grid, progress)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OutputError(f"Cannot write the demo study to {folder}: {error.strerror}") from error
    progress(1.0, "study written")
    return DemoStudy(
        folder=folder,
        dicom_folder=folder / DICOM_FOLDER,
        truth_file=folder / TRUTH_FILE,
        clinical_file=folder / CLINICAL_FILE,
        truth=truth,
        instances=instances,
    )


def _refuse_foreign(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / TRUTH_FILE).is_file():
        raise OutputError(f"{folder} holds files that are no demo study; choose another folder")


def _write_all(
    folder: Path, parameters: PhantomParameters, grid: Grid, progress: Progress
) -> tuple[Truth, int]:
    progress(0.0, "building the phantom")
    identity = repr((PHANTOM_VERSION, parameters, grid))
    study = study_header(identity)
    phantom = _with_frame_of_reference(
        build_phantom(parameters, grid.shape, grid.spacing_mm), study.FrameOfReferenceUID
    )
    instances = 0
    for index, scan in enumerate(PHASE_SCANS):
        share = BUILD_SHARE + (1 - BUILD_SHARE) * index / len(PHASE_SCANS)
        progress(share, f"rendering the {scan.phase} phase")
        rng = np.random.default_rng([parameters.seed, scan.series_number])
        voxels_hu = render_phase(phantom, scan.phase, rng, breathing_mm=scan.breathing_mm)
        header = phase_header(study, identity, scan, phantom.geometry)
        instances += _write_series(
            folder / DICOM_FOLDER, (scan, header, identity), voxels_hu, phantom
        )
        if scan.phase is ContrastPhase.PORTAL_VENOUS:
            scout = localizer_image(study, identity, voxels_hu, phantom.geometry)
            _save(scout, folder / DICOM_FOLDER / "S001" / "I0001.dcm")
    capture = dose_page(study, identity, draw_dose_page())
    _save(capture, folder / DICOM_FOLDER / "S501" / "I0001.dcm")
    series_uid = phantom_uid(identity, "series", ContrastPhase.PORTAL_VENOUS)
    truth = truth_of(phantom, series_uid)
    save_truth(truth, folder / TRUTH_FILE)
    write_demo_clinical(folder / CLINICAL_FILE, study)
    return truth, instances + 2


def _with_frame_of_reference(phantom: Phantom, uid: str) -> Phantom:
    return replace(phantom, geometry=replace(phantom.geometry, frame_of_reference_uid=uid))


def _write_series(
    folder: Path,
    labels: tuple[PhaseScan, Dataset, str],
    voxels_hu: NDArray[np.int16],
    phantom: Phantom,
) -> int:
    """Write one phase, instance 1 nearest to the head; returns the number of files."""
    scan, header, identity = labels
    geometry = phantom.geometry
    for number, plane_hu in enumerate(voxels_hu[::-1], start=1):
        z_mm = geometry.origin_mm[2] + (len(voxels_hu) - number) * geometry.spacing.slice_mm
        image = slice_image(header, identity, plane_hu, (number, z_mm))
        _save(image, folder / f"S{scan.series_number:03d}" / f"I{number:04d}.dcm")
    return len(voxels_hu)


def _save(image: Dataset, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    image.save_as(path, enforce_file_format=True)
