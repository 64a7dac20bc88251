"""Open a study: read every header, set junk aside, make sure it is one patient's one study."""

import hashlib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pydicom.dataset import Dataset

from engine.errors import InputError, MixedPatientsError, SeriesRefusal, UnreadableStudyError
from engine.series.attributes import decoded_text, text
from engine.series.containers import list_input
from engine.series.headers import Instance, NotDicomError, read_instance
from engine.series.sources import ByteSource, JunkFile
from engine.values.identity import PatientIdentity, StudyIdentity

Progress = Callable[[float], None]
"""Called with the finished fraction, 0..1; may raise to cancel."""

AGE_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
"""Units of an Age String (PS3.5 6.2, VR AS) in years."""
NAMED_UIDS = 5
"""Most UIDs a message lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesInstances:
    """All instances of the input with one Series Instance UID, in reading order."""

    series_instance_uid: str
    instances: tuple[Instance, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyScan:
    """What an input holds.

    Attributes:
        study: The one study and its patient.
        series: Its series, in reading order.
        junk: Files that are no usable DICOM objects.
        refusals: Series that contradict themselves and cannot be trusted.
        notes: What was put right (duplicate files dropped).
    """

    study: StudyIdentity
    series: tuple[SeriesInstances, ...]
    junk: tuple[JunkFile, ...] = field(default=(), repr=False)
    refusals: tuple[SeriesRefusal, ...] = ()
    notes: tuple[str, ...] = ()


def scan_study(path: Path, progress: Progress | None = None) -> StudyScan:
    """Read the headers of every file of an input.

    Args:
        path: Folder, zip archive, DICOMDIR or DICOM file.
        progress: Told how far reading is.

    Raises:
        UnreadableStudyError: Nothing in the input can be read as DICOM.
        MixedPatientsError: More than one study or patient.
    """
    listing = list_input(path)
    instances: list[Instance] = []
    junk = list(listing.junk)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of values; ours are checked where used
        for index, source in enumerate(listing.sources):
            found = _read(source)
            if isinstance(found, Instance):
                instances.append(found)
            else:
                junk.append(found)
            if progress is not None:
                progress((index + 1) / len(listing.sources))
        if not instances:
            raise UnreadableStudyError(_nothing_readable(junk))
        _check_one_study(instances)
        study = _study_identity(instances[0].header)
    kept, refusals, notes = _drop_duplicates(instances)
    grouped: dict[str, list[Instance]] = {}
    for instance in kept:
        grouped.setdefault(instance.series_instance_uid, []).append(instance)
    return StudyScan(
        study=study,
        series=tuple(
            SeriesInstances(series_instance_uid=uid, instances=tuple(members))
            for uid, members in grouped.items()
        ),
        junk=tuple(junk),
        refusals=refusals,
        notes=notes,
    )


def _read(source: ByteSource) -> Instance | JunkFile:
    try:
        return read_instance(source)
    except NotDicomError as error:
        return JunkFile(name=source.name, reason=str(error))
    except InputError as error:
        return JunkFile(name=source.name, reason=f"damaged: {error}")
    except OSError as error:
        return JunkFile(name=source.name, reason=f"unreadable ({error.strerror})")


def _nothing_readable(junk: list[JunkFile]) -> str:
    reasons: dict[str, int] = {}
    for file in junk:
        reasons[file.reason] = reasons.get(file.reason, 0) + 1
    seen = ", ".join(f"{count} × {reason}" for reason, count in list(reasons.items())[:4])
    return f"Input holds no readable DICOM object; found {seen or 'no file'}"


def _check_one_study(instances: list[Instance]) -> None:
    studies = list(dict.fromkeys(i.study_instance_uid for i in instances))
    if len(studies) > 1:
        named = ", ".join(studies[:NAMED_UIDS])
        raise MixedPatientsError(
            f"Input holds {len(studies)} studies, one is needed: {named}; give each by itself"
        )
    patients = {text(i.header, "PatientID") for i in instances}
    if len(patients) > 1:
        raise MixedPatientsError(
            f"Study {studies[0]} names {len(patients)} different Patient IDs, one is needed; "
            "have the sender correct it"
        )


def _drop_duplicates(
    instances: list[Instance],
) -> tuple[list[Instance], tuple[SeriesRefusal, ...], tuple[str, ...]]:
    """Keep one of each SOP Instance UID; contradicting twins make a series untrustworthy."""
    by_uid: dict[str, list[Instance]] = {}
    for instance in instances:
        by_uid.setdefault(instance.sop_instance_uid, []).append(instance)
    refused: dict[str, str] = {}
    dropped = 0
    for uid, twins in by_uid.items():
        if len(twins) == 1:
            continue
        if len({_content_digest(twin) for twin in twins}) == 1:
            dropped += len(twins) - 1
        else:
            for twin in twins:
                refused[twin.series_instance_uid] = (
                    f"{len(twins)} files with SOP Instance UID {uid} and different content"
                )
    kept = [twins[0] for twins in by_uid.values()]
    notes = (f"{dropped} duplicate files dropped",) if dropped else ()
    refusals = tuple(
        SeriesRefusal(series_instance_uid=uid, reason=reason) for uid, reason in refused.items()
    )
    return [i for i in kept if i.series_instance_uid not in refused], refusals, notes


def _content_digest(instance: Instance) -> str:
    """Digest of the whole file after its file meta information."""
    try:
        data = instance.source.read()
    except (InputError, OSError):
        return instance.source.name
    start = 0
    if data[128:132] == b"DICM":
        start = 144 + int.from_bytes(data[140:144], "little")
    return hashlib.sha256(data[start:]).hexdigest()


def _study_identity(header: Dataset) -> StudyIdentity:
    return StudyIdentity(
        study_instance_uid=text(header, "StudyInstanceUID"),
        patient=PatientIdentity(
            patient_id=decoded_text(header, "PatientID"),
            issuer_of_patient_id=decoded_text(header, "IssuerOfPatientID"),
            patient_name=decoded_text(header, "PatientName"),
            patient_birth_date=text(header, "PatientBirthDate"),
            patient_sex=text(header, "PatientSex"),
            patient_age_years=_age_years(header),
        ),
        study_date=text(header, "StudyDate"),
        study_time=text(header, "StudyTime"),
        accession_number=decoded_text(header, "AccessionNumber"),
        study_description=decoded_text(header, "StudyDescription"),
    )


def _age_years(header: Dataset) -> float | None:
    """Patient's Age, or the time from birth to the study in years of 365.25 days."""
    stated = re.fullmatch(r"(\d{1,3})([DWMY])", text(header, "PatientAge"))
    if stated:
        return int(stated[1]) * AGE_YEARS[stated[2]]
    days = []
    for keyword in ("PatientBirthDate", "StudyDate"):
        try:
            days.append(date.fromisoformat(text(header, keyword)))
        except ValueError:
            return None
    age = (days[1] - days[0]).days / 365.25
    return age if age >= 0 else None
