"""A result folder read back for follow-up: masks, lesions, patient, perhaps the CT."""

import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from engine.errors import ComparisonError
from engine.reporting.gate import LIVER_SEGMENT, decode_segments
from engine.reporting.result_json import RESULT_NAME
from engine.series.assembly import assemble_volume
from engine.series.grouping import group_series
from engine.series.input import scan_study
from engine.values.followup import LesionSize, TimePoint
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ContrastPhase, PatientIdentity

SEG_NAME = "seg.dcm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One result folder, read back.

    Attributes:
        document: result.json.
        geometry: The reference grid.
        liver: The organ on that grid.
        labels: Lesion numbers on that grid.
        patient: As the SEG names it.
        day: Study date; None when there is none.
        voxels_hu: The CT itself, where the study was given.
    """

    document: dict[str, Any] = field(repr=False)
    geometry: VolumeGeometry
    liver: NDArray[np.bool_] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)
    patient: PatientIdentity = field(repr=False)
    day: date | None = field(repr=False)
    voxels_hu: NDArray[np.int16] | None = field(default=None, repr=False)

    @property
    def lesions(self) -> tuple[LesionSize, ...]:
        """Its lesions as far as follow-up needs them."""
        return tuple(
            LesionSize(
                number=int(entry["number"]),
                tracking_uid=str(entry["tracking_uid"]),
                long_axis_mm=float(entry["long_axis"]["length_mm"]),
                volume_ml=float(entry["volume_ml"]),
            )
            for entry in self.document["lesions"]
        )

    @property
    def time_point(self) -> TimePoint:
        """Where it comes from and its volumes."""
        document = self.document
        return TimePoint(
            study_instance_uid=document["study_instance_uid"],
            series_instance_uid=document["reference"]["series_instance_uid"],
            job_id=document["job_id"],
            day=self.day,
            phase=document["reference"]["phase"],
            liver_ml=document["liver"]["volume_ml"],
            tumor_ml=document["burden"]["total_volume_ml"],
            is_corrected=bool(document.get("revision")),
        )


def read_examination(folder: Path, study: Path | None = None) -> Examination:
    """Read a result folder, and its CT where the study is given.

    Raises:
        ComparisonError: It is no analysis, or the study is another one.
    """
    try:
        document = json.loads((folder / RESULT_NAME).read_text("utf-8"))
        content = (folder / SEG_NAME).read_bytes()
    except (OSError, ValueError) as error:
        raise ComparisonError(f"{folder.name} is no complete result of HepatoCast") from error
    if document.get("status") != "analyzed":
        raise ComparisonError(f"{folder.name} holds no analysis; it cannot be compared")
    geometry = _grid(document["reference"]["geometry"])
    liver, labels = _masks(content, geometry)
    header = pydicom.dcmread(folder / SEG_NAME, stop_before_pixels=True)
    examination = Examination(
        document=document,
        geometry=geometry,
        liver=liver,
        labels=labels,
        patient=PatientIdentity(
            patient_id=str(header.get("PatientID", "")),
            issuer_of_patient_id=str(header.get("IssuerOfPatientID", "")),
            patient_name=str(header.get("PatientName", "")),
            patient_birth_date=str(header.get("PatientBirthDate", "")),
            patient_sex=str(header.get("PatientSex", "")),
        ),
        day=_day(str(header.get("StudyDate", ""))),
    )
    return examination if study is None else replace(examination, voxels_hu=_ct(examination, study))


def _ct(examination: Examination, study: Path) -> NDArray[np.int16]:
    """The reference series of a result, assembled again.

    Raises:
        ComparisonError: The study does not hold it, or it lies elsewhere.
    """
    wanted = examination.document["reference"]["series_instance_uid"]
    phase = ContrastPhase(examination.document["reference"]["phase"])
    for group in group_series(scan_study(study)).groups:
        if group.series.series_instance_uid == wanted:
            volume = assemble_volume(group, phase=phase)
            if volume.geometry.is_close(examination.geometry):
                return volume.voxels_hu
    raise ComparisonError(
        f"The study given does not hold series {wanted} as the result was made from it"
    )


def _grid(entry: dict[str, Any]) -> VolumeGeometry:
    shape, spacing = entry["shape"], entry["spacing_mm"]
    along = [(float(d[0]), float(d[1]), float(d[2])) for d in entry["directions"]]
    x, y, z = (float(v) for v in entry["origin_mm"])
    return VolumeGeometry(
        shape=(int(shape[0]), int(shape[1]), int(shape[2])),
        spacing=VoxelSpacing(slice_mm=spacing[0], row_mm=spacing[1], column_mm=spacing[2]),
        origin_mm=(x, y, z),
        slice_direction=along[0],
        row_direction=along[1],
        column_direction=along[2],
        frame_of_reference_uid=entry["frame_of_reference_uid"],
    )


def _masks(content: bytes, geometry: VolumeGeometry) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Liver and lesion numbers of a SEG of ours, on its result's grid."""
    liver = np.zeros(geometry.shape, np.bool_)
    labels = np.zeros(geometry.shape, np.uint8)
    for number, segment in decode_segments(content).items():
        for position, plane in segment.planes:
            index = round(float(geometry.to_index(position)[0]))
            if not 0 <= index < geometry.shape[0] or plane.shape != geometry.shape[1:]:
                raise ComparisonError("A SEG frame does not lie on the grid of its result.json")
            if number == LIVER_SEGMENT:
                liver[index] |= plane
            else:
                labels[index][plane] = number - 1
    return liver | (labels > 0), labels


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None
