"""FHIR R4 resources as raw values (pure: no network, no files).

Read: Patient, Observation (with components and reference ranges), Condition, Procedure,
MedicationStatement (hl7.org/fhir/R4). Codes are LOINC and SNOMED CT; a site's own codes are
translated by a table ``"system|code" → analyte key``.

Moments with an offset from UTC become days and times of the hospital's time zone when one is
given; otherwise they are taken as written. DICOM dates are local, so a server that writes UTC
needs the zone, or a value taken late in the evening lands on the wrong day.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, tzinfo
from typing import Any

from engine.clinical.analyte import LOINC, SNOMED_CT, Analyte
from engine.clinical.analytes import ANALYTES, find_analyte
from engine.clinical.intake import RawValue
from engine.clinical.right_patient import SourceIdentity, fold_sex
from engine.clinical.words import is_known_word
from engine.errors import ClinicalDataError

Resource = Mapping[str, Any]
"""One FHIR resource as parsed from JSON."""

_SYSTEMS = {"http://loinc.org": LOINC, "http://snomed.info/sct": SNOMED_CT}
_SEVERITIES = {"255604002": "slight", "6736007": "moderate", "24484000": "moderate"}
_SYSTEMIC_HCC_DRUGS = frozenset({"L01EX02", "L01EX05", "L01EX07", "L01EX08"})
"""ATC codes of sorafenib, regorafenib, cabozantinib and lenvatinib."""


def read_resource(
    resource: Resource, codes: Mapping[str, str], zone: tzinfo | None = None
) -> list[RawValue]:
    """Raw values of one resource; empty for resource types that carry none.

    Args:
        resource: Parsed JSON.
        codes: Site codes, ``"system|code"`` to analyte key.
        zone: The hospital's time zone; None takes moments as written.

    Raises:
        ClinicalDataError: The resource's structure is not that of FHIR R4.
    """
    readers = {
        "Observation": _observation,
        "Condition": _condition,
        "Procedure": _procedure,
        "MedicationStatement": _medication,
    }
    reader = readers.get(str(resource.get("resourceType")))
    if reader is None:
        return []
    try:
        return list(reader(resource, codes, zone))
    except (AttributeError, KeyError, TypeError) as error:
        raise ClinicalDataError("not structured as FHIR R4 says") from error


def read_identities(patient: Resource, issuers: Mapping[str, str]) -> list[SourceIdentity]:
    """Every identifier of a Patient resource as an identity.

    Args:
        patient: Patient resource.
        issuers: Identifier system to Issuer of Patient ID; unknown systems stay as they are.

    Raises:
        ClinicalDataError: The gender is no FHIR administrative gender, or the structure is not
            that of FHIR R4.
    """
    try:
        return _identities(patient, issuers)
    except (AttributeError, KeyError, TypeError) as error:
        raise ClinicalDataError("FHIR Patient is not structured as FHIR R4 says") from error


def read_person(patient: Resource) -> SourceIdentity:
    """Birth date and sex of a Patient resource, without an identifier; errors as above."""
    try:
        sex = fold_sex(str(patient.get("gender", "")))
        return SourceIdentity(patient_id="", birth_date=read_day(patient.get("birthDate")), sex=sex)
    except AttributeError as error:
        raise ClinicalDataError("FHIR Patient is not structured as FHIR R4 says") from error


def _identities(patient: Resource, issuers: Mapping[str, str]) -> list[SourceIdentity]:
    person = read_person(patient)
    systems = [
        (identifier, str(identifier.get("system", "")))
        for identifier in patient.get("identifier", [])
        if identifier.get("use") != "old"
    ]
    return [
        replace(
            person,
            patient_id=str(identifier.get("value", "")),
            issuer=issuers.get(system, system),
        )
        for identifier, system in systems
    ]


def replacing_patient(patient: Resource) -> str:
    """Id of the Patient that replaced this one after a merge; empty when none did."""
    for link in patient.get("link", []):
        if link.get("type") == "replaced-by":
            return _reference_id(link.get("other", {}), "Patient")
    return ""


def subject_id(resource: Resource) -> str:
    """Id of the Patient a resource is about; empty when it names none."""
    return _reference_id(resource.get("subject", {}), "Patient")


def replaced_patients(patient: Resource) -> list[str]:
    """Ids of the Patients that this one replaced in merges (link type ``replaces``)."""
    ids = [
        _reference_id(link.get("other", {}), "Patient")
        for link in patient.get("link", [])
        if link.get("type") == "replaces"
    ]
    return [key for key in ids if key]


def read_day(text: object, zone: tzinfo | None = None) -> date | None:
    """Day of a FHIR date or dateTime; None when it is not given to the day."""
    moment = _moment(text, zone)
    return None if moment is None else moment[0]


def _moment(text: object, zone: tzinfo | None) -> tuple[date, datetime | None] | None:
    """Day and local moment of a FHIR date, dateTime or instant; None when not given to the day."""
    written = str(text)
    try:
        day = date.fromisoformat(written[:10])
        if "T" not in written:
            return day, None
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    if zone is not None and moment.tzinfo is not None:
        moment = moment.astimezone(zone)
    return moment.date(), moment.replace(tzinfo=None)


def _reference_id(reference: Resource, resource_type: str) -> str:
    parts = str(reference.get("reference", "")).split("/_history/")[0].split("/")
    return parts[-1] if len(parts) >= 2 and parts[-2] == resource_type else ""


def _observation(
    resource: Resource, codes: Mapping[str, str], zone: tzinfo | None
) -> Iterator[RawValue]:
    moment = _first_moment(
        zone,
        resource.get("effectiveDateTime"),
        resource.get("effectiveInstant"),
        resource.get("effectivePeriod", {}).get("end"),
        resource.get("effectivePeriod", {}).get("start"),
        resource.get("issued"),
    )
    status = str(resource.get("status", "unknown"))
    source = f"FHIR Observation/{resource.get('id', '?')}"
    for part in (resource, *resource.get("component", [])):
        analyte = _analyte(part.get("code", {}), codes)
        if analyte is None:
            continue
        told = _value(part, analyte)
        if told is not None:
            value, unit = told
            yield _raw(analyte, (value, unit), moment, source, status)
        if analyte.key == "ast":
            yield from _upper_limit(part, moment, source, status)


_Moment = tuple[date | None, datetime | None]


def _raw(
    analyte: Analyte, told: tuple[str, str], moment: _Moment, source: str, status: str
) -> RawValue:
    return RawValue(
        code=analyte.key,
        value=told[0],
        unit=told[1],
        observed_on=moment[0],
        observed_at=moment[1],
        source=source,
        status=status,
    )


def _value(part: Resource, analyte: Analyte) -> tuple[str, str] | None:
    """Text and unit of an Observation's value; None when it has none."""
    if (quantity := part.get("valueQuantity")) is not None:
        return _quantity(quantity)
    for name in ("valueInteger", "valueString"):
        if part.get(name) is not None:
            return str(part[name]), ""
    if part.get("valueBoolean") is not None:
        return ("present" if part["valueBoolean"] else "absent"), ""
    if (concept := part.get("valueCodeableConcept")) is not None:
        return _word(concept, analyte), ""
    return None


def _quantity(quantity: Resource) -> tuple[str, str] | None:
    if quantity.get("value") is None:
        return None
    ucum = quantity.get("system") == "http://unitsofmeasure.org"
    unit = str((quantity.get("code") if ucum else "") or quantity.get("unit", ""))
    return f"{quantity.get('comparator', '')}{quantity['value']}", unit


def _word(concept: Resource, analyte: Analyte) -> str:
    """The first wording of a concept that the analyte knows, or its first wording."""
    said = [
        str(text)
        for coding in concept.get("coding", [])
        for text in (coding.get("code"), coding.get("display"))
        if text
    ]
    said += [str(concept["text"])] if concept.get("text") else []
    return next((text for text in said if is_known_word(text, analyte)), said[0] if said else "")


def _upper_limit(part: Resource, moment: _Moment, source: str, status: str) -> Iterator[RawValue]:
    for limits in part.get("referenceRange", []):
        kinds = [c.get("code") for c in limits.get("type", {}).get("coding", [])]
        high = _quantity(limits["high"]) if limits.get("high") else None
        if high is not None and (not kinds or "normal" in kinds):
            analyte = ANALYTES["ast_upper_limit"]
            yield _raw(analyte, high, moment, f"{source} reference range", status)
            return


def _condition(
    resource: Resource, codes: Mapping[str, str], zone: tzinfo | None
) -> Iterator[RawValue]:
    analyte = _analyte(resource.get("code", {}), codes)
    if analyte is None or not analyte.words:
        return
    verification = _code_of(resource.get("verificationStatus", {}))
    clinical = _code_of(resource.get("clinicalStatus", {}))
    if verification == "refuted":
        word = "absent"
    elif verification in ("", "confirmed") and clinical in ("", "active", "recurrence", "relapse"):
        severity = _code_of(resource.get("severity", {}))
        word = _SEVERITIES.get(severity, "present") if "slight" in analyte.words else "present"
    else:
        return
    moment = _first_moment(
        zone,
        resource.get("recordedDate"),
        resource.get("onsetDateTime"),
    )
    yield _raw(analyte, (word, ""), moment, f"FHIR Condition/{resource.get('id', '?')}", "final")


def _procedure(
    resource: Resource, codes: Mapping[str, str], zone: tzinfo | None
) -> Iterator[RawValue]:
    analyte = _analyte(resource.get("code", {}), codes)
    if analyte is None or resource.get("status") != "completed":
        return
    moment = _first_moment(
        zone,
        resource.get("performedDateTime"),
        resource.get("performedPeriod", {}).get("end"),
        resource.get("performedPeriod", {}).get("start"),
    )
    word = "done" if "done" in analyte.words else "present"
    yield _raw(analyte, (word, ""), moment, f"FHIR Procedure/{resource.get('id', '?')}", "final")


def _medication(
    resource: Resource, codes: Mapping[str, str], zone: tzinfo | None
) -> Iterator[RawValue]:
    concept = resource.get("medicationCodeableConcept", {})
    taken = resource.get("status") in ("active", "completed", "stopped", "on-hold")
    systemic = any(c.get("code") in _SYSTEMIC_HCC_DRUGS for c in concept.get("coding", []))
    analyte = ANALYTES["previous_treatment"] if systemic else _analyte(concept, codes)
    if analyte is None or not taken:
        return
    moment = _first_moment(
        zone,
        resource.get("effectiveDateTime"),
        resource.get("effectivePeriod", {}).get("start"),
        resource.get("dateAsserted"),
    )
    source = f"FHIR MedicationStatement/{resource.get('id', '?')}"
    yield _raw(analyte, ("present", ""), moment, source, "final")


def _analyte(concept: Resource, codes: Mapping[str, str]) -> Analyte | None:
    for coding in concept.get("coding", []):
        system, code = str(coding.get("system", "")), str(coding.get("code", ""))
        if (key := codes.get(f"{system}|{code}")) is not None:
            return find_analyte(key)
        if system in _SYSTEMS and (known := find_analyte(code, _SYSTEMS[system])) is not None:
            return known
    return None


def _code_of(concept: Resource) -> str:
    return next((str(c.get("code", "")) for c in concept.get("coding", [])), "")


def _first_moment(zone: tzinfo | None, *texts: object) -> _Moment:
    return next((m for text in texts if (m := _moment(text, zone)) is not None), (None, None))
