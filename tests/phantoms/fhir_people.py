"""FHIR R4 resources of invented people, and a way to put them on a server."""

from typing import Any

import httpx

HEADERS = {"Content-Type": "application/fhir+json"}
UCUM = "http://unitsofmeasure.org"


def post(base: str, resource: dict[str, Any], token: str = "") -> str:
    """Create a resource; tries again where the server fails on purpose. Returns its id."""
    headers = HEADERS | ({"Authorization": f"Bearer {token}"} if token else {})
    for _ in range(3):
        answer = httpx.post(f"{base}/{resource['resourceType']}", json=resource, headers=headers)
        if answer.status_code == httpx.codes.CREATED:
            return str(answer.json()["id"])
    raise AssertionError(answer.text)


def make_patient(
    number: str, system: str = "", born: str = "1961-05-04", gender: str = "male"
) -> dict[str, Any]:
    """A Patient with one identifier."""
    identifier = {"value": number} | ({"system": system} if system else {})
    return {
        "resourceType": "Patient",
        "gender": gender,
        "birthDate": born,
        "identifier": [identifier],
    }


def make_observation(subject: str, told: tuple[str, float, str, str]) -> dict[str, Any]:
    """A final Observation: (LOINC code, value, UCUM unit, day or moment)."""
    code, value, unit, when = told
    return {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": f"Patient/{subject}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }


def make_condition(
    subject: str, code: str, verification: str, day: str = "2024-02-10"
) -> dict[str, Any]:
    """A Condition by SNOMED CT code, "confirmed" or "refuted"."""
    system = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    return {
        "resourceType": "Condition",
        "subject": {"reference": f"Patient/{subject}"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
        "verificationStatus": {"coding": [{"system": system, "code": verification}]},
        "recordedDate": day,
    }
