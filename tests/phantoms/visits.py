"""One patient examined twice: lesions of known sizes, the patient lying elsewhere each time."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom

from engine.cli.main import main
from tests.phantoms.corrected import LESION_HU
from tests.phantoms.recorded_result import write_phantom_series
from tests.phantoms.report_patient import Ball


@dataclass(frozen=True)
class Visit:
    """An analyzed examination."""

    study: Path
    result: Path


def ball(center_mm: tuple[float, float, float], radius_mm: float) -> Ball:
    """A lesion that the threshold network sees."""
    return Ball(center_mm=center_mm, radius_mm=radius_mm, hu=LESION_HU)


def visit(
    root: Path,
    model: Path,
    day: str,
    lesions: tuple[Ball, ...],
    *,
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    patient: str = "",
    clinical: str = "",
) -> Visit:
    """Write and analyze one examination.

    Args:
        root: An empty folder.
        model: The threshold package.
        day: YYYYMMDD; also the identity of the study.
        lesions: In the phantom's own coordinates.
        shift_mm: Where the patient lies this time.
        patient: Another Patient ID.
        clinical: CSV of clinical values.
    """
    paths = write_phantom_series(root / "study", lesions=lesions)
    for path in paths.values():
        image = pydicom.dcmread(path)
        image.StudyDate = day
        image.StudyInstanceUID = f"2.25.77{day}"
        image.SeriesInstanceUID = f"2.25.78{day}"
        image.FrameOfReferenceUID = f"2.25.79{day}"
        image.SOPInstanceUID = f"{image.SOPInstanceUID}.{day}"
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        image.PatientID = patient or image.PatientID
        position = np.array(image.ImagePositionPatient, float) + shift_mm
        image.ImagePositionPatient = [f"{value:.4f}" for value in position]
        image.save_as(path, enforce_file_format=True)
    command = ["analyze", str(root / "study"), "--out", str(root / "result")]
    command += ["--model", str(model), "--device", "cpu", "--risk", ""]
    if clinical:
        (root / "values.csv").write_text(clinical, encoding="utf-8")
        command += ["--clinical", str(root / "values.csv")]
    assert main(command) == 0
    return Visit(study=root / "study", result=root / "result")
