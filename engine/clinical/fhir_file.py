"""Clinical values from a file of FHIR R4 resources: a Bundle (JSON) or NDJSON."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, tzinfo
from pathlib import Path

from engine.clinical.fhir_reading import (
    Resource,
    read_identities,
    read_person,
    read_resource,
    replacing_patient,
    subject_id,
)
from engine.clinical.intake import accept
from engine.clinical.right_patient import match_identities, require_same_person
from engine.clinical.selection import select
from engine.clinical.source import SourceAnswer
from engine.errors import ClinicalDataError
from engine.values.clinical import ClinicalRecord, Observation, Rejection
from engine.values.identity import PatientIdentity

MAX_BYTES = 256 << 20
"""A larger file is refused rather than filling the memory."""

NO_MAPPING: Mapping[str, str] = {}


def read_fhir_file(
    path: Path,
    patient: PatientIdentity,
    reference_date: date | None,
    issuers: Mapping[str, str] = NO_MAPPING,
    codes: Mapping[str, str] = NO_MAPPING,
) -> ClinicalRecord:
    """Read one patient's values from a FHIR file and select them in time.

    Args:
        path: Bundle (.json) or newline-delimited resources (.ndjson).
        patient: Patient of the images.
        reference_date: Imaging or surgery date.
        issuers: Identifier system to Issuer of Patient ID.
        codes: Site codes, ``"system|code"`` to analyte key.

    Raises:
        ClinicalDataError: Unreadable, or without this patient.
    """
    answer = answer_from(read_resources(path), patient, issuers, codes)
    return select(answer.offered, reference_date, answer.notes)


def read_resources(path: Path) -> list[Resource]:
    """Every resource of a Bundle or NDJSON file.

    Raises:
        ClinicalDataError: Not readable, too large, or not FHIR JSON.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ClinicalDataError(f"FHIR file is larger than {MAX_BYTES >> 20} MiB")
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".ndjson":
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            found = unpack(json.loads(text))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ClinicalDataError(
            f"FHIR file cannot be read as JSON ({type(error).__name__})"
        ) from error
    if not all(isinstance(r, dict) and "resourceType" in r for r in found):
        raise ClinicalDataError("FHIR file holds something that is not a FHIR resource")
    return found


def unpack(document: object) -> list[Resource]:
    """Resources of a Bundle, or the one resource a document is.

    Raises:
        ClinicalDataError: Neither.
    """
    if not isinstance(document, dict) or "resourceType" not in document:
        raise ClinicalDataError("Not a FHIR resource")
    if document["resourceType"] != "Bundle":
        return [document]
    entries = document.get("entry", [])
    if not isinstance(entries, list):
        raise ClinicalDataError("Bundle.entry is not a list")
    return [e["resource"] for e in entries if isinstance(e, dict) and "resource" in e]


def answer_from(
    resources: Iterable[Resource],
    patient: PatientIdentity,
    issuers: Mapping[str, str],
    codes: Mapping[str, str],
) -> SourceAnswer:
    """What a set of resources says about the patient of the images.

    Raises:
        ClinicalDataError: No Patient resource is this patient, or its attributes disagree.
    """
    everything = list(resources)
    patients = [r for r in everything if r.get("resourceType") == "Patient"]
    mine, notes = _find_patient(patients, patient, issuers)
    offered = [item for r in everything if subject_id(r) in mine for item in read_one(r, codes)]
    return SourceAnswer(
        offered=tuple(offered), notes=(f"FHIR: {len(offered)} values of this patient", *notes)
    )


def read_one(
    resource: Resource, codes: Mapping[str, str], zone: tzinfo | None = None
) -> list[Observation | Rejection]:
    """Observations and rejections of one resource; a malformed one is a rejection."""
    try:
        raws = read_resource(resource, codes, zone)
    except ClinicalDataError as error:
        name = f"FHIR {resource.get('resourceType')}/{resource.get('id', '?')}"
        return [Rejection(analyte="unknown", source=name, reason=str(error))]
    return [item for raw in raws if (item := accept(raw)) is not None]


def _find_patient(
    patients: list[Resource], patient: PatientIdentity, issuers: Mapping[str, str]
) -> tuple[set[str], tuple[str, ...]]:
    """Ids of the patient's resources (merged ones included), and what was not compared."""
    ids: set[str] = set()
    notes: tuple[str, ...] = ()
    for resource in patients:
        compared = match_identities(read_identities(resource, issuers), patient)
        if compared is not None:
            notes = compared
            ids.add(str(resource.get("id", "")))
    if not ids:
        raise ClinicalDataError("FHIR data has no Patient with the identifier of the images")
    survivors = {replacing_patient(r) for r in patients if str(r.get("id", "")) in ids}
    joined = [
        r
        for r in patients
        if replacing_patient(r) in ids or str(r.get("id", "")) in survivors - {""}
    ]
    for resource in joined:
        require_same_person(read_person(resource), patient)
    return (ids | {str(r.get("id", "")) for r in joined}) - {""}, notes
