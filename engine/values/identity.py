"""Who and what an image is about: patient, study, series, instance."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum


class ContrastPhase(StrEnum):
    """Phase of a dynamic contrast-enhanced liver CT."""

    NON_CONTRAST = "non-contrast"
    LATE_ARTERIAL = "late arterial"
    PORTAL_VENOUS = "portal venous"
    DELAYED = "delayed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientIdentity:
    """Patient as the images name them; fields are hidden from repr (no PHI in logs)."""

    patient_id: str = field(repr=False)
    issuer_of_patient_id: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)
    patient_birth_date: str = field(default="", repr=False)
    patient_sex: str = field(default="", repr=False)
    patient_age_years: float | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyIdentity:
    """One study; ``study_date`` as DICOM DA (YYYYMMDD) or empty."""

    study_instance_uid: str
    patient: PatientIdentity = field(repr=False)
    study_date: str = field(default="", repr=False)
    study_time: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    study_description: str = field(default="", repr=False)

    @property
    def day(self) -> date | None:
        """The study date as a date; None when it is missing or no date."""
        try:
            return datetime.strptime(self.study_date, "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesIdentity:
    """One series of a study."""

    series_instance_uid: str
    series_number: int | None = None
    series_description: str = field(default="", repr=False)
    modality: str = "CT"
    phase: ContrastPhase = ContrastPhase.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """One image, or one frame of a multi-frame image (frame_number counts from 1).

    ``series_instance_uid`` is set where the reference leaves its series (predecessors).
    """

    sop_class_uid: str
    sop_instance_uid: str
    frame_number: int | None = None
    series_instance_uid: str = ""
