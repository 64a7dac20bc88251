"""Issue 5, must show 1: against a real FHIR R4 server (@medplum/fhir-router)."""

import time
from datetime import date
from typing import Any

import httpx
import pytest

from dicom_node.clinical_source.fhir_authorization import BearerToken
from dicom_node.clinical_source.fhir_client import FhirClient, FhirLimits
from dicom_node.clinical_source.fhir_source import FhirSource
from engine.clinical.join import join_sources
from engine.clinical.scores.compute import compute_scores
from engine.values.clinical import ClinicalRecord
from engine.values.identity import PatientIdentity
from tests.phantoms.clinical_records import make_burden
from tests.phantoms.ehr_peers import free_port
from tests.phantoms.fhir_people import make_patient, post

pytestmark = pytest.mark.peer

REFERENCE = date(2024, 3, 1)
ISSUERS = {"HOSP_A": "urn:hosp-a", "HOSP_B": "urn:hosp-b"}
HEADERS = {"Content-Type": "application/fhir+json"}
UCUM = "http://unitsofmeasure.org"

PANEL = (
    ("1975-2", 1.2, "mg/dL"),
    ("1751-7", 3.6, "g/dL"),
    ("6301-6", 1.3, "{INR}"),
    ("2160-0", 97.0, "umol/L"),
    ("2951-2", 133.0, "mmol/L"),
    ("777-3", 110.0, "10*3/uL"),
    ("1834-1", 120.0, "[IU]/mL"),
    ("1751-7", 4.0, "g/L"),
)


def images(number: str, issuer: str = "HOSP_A") -> PatientIdentity:
    return PatientIdentity(
        patient_id=number,
        issuer_of_patient_id=issuer,
        patient_birth_date="19610504",
        patient_sex="M",
    )


def observation(subject: str, code: str, value: float, unit: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": f"Patient/{subject}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }


def condition(subject: str, code: str, status: str) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    return {
        "resourceType": "Condition",
        "subject": {"reference": f"Patient/{subject}"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
        "verificationStatus": {"coding": [{"system": system, "code": status}]},
        "recordedDate": "2024-02-10",
    }


def pull(base: str, who: PatientIdentity, client: FhirClient | None = None) -> ClinicalRecord:
    connection = client or FhirClient(base, limits=FhirLimits(page_size=3))
    try:
        source = FhirSource(client=connection, issuers=ISSUERS)
        return join_sources([source], who, REFERENCE)
    finally:
        connection.close()


def test_values_are_pulled_converted_joined_and_scored(fhir_server: str) -> None:
    subject = post(fhir_server, make_patient("1001", "urn:hosp-a"))
    for number, (code, value, unit) in enumerate(PANEL):
        day = f"2024-02-{20 - number:02d}"
        post(fhir_server, observation(subject, code, value, unit, day))
    post(fhir_server, condition(subject, "389026000", "refuted"))
    post(fhir_server, condition(subject, "13920009", "refuted"))
    record = pull(fhir_server, images("1001"))
    values = {o.analyte: o.value for o in record.observations}
    assert values["afp"] == pytest.approx(145.2)
    assert values["bilirubin_total"] == pytest.approx(20.52, abs=0.01)
    assert values["ascites"] == "absent"
    assert [r.analyte for r in record.rejections] == ["albumin"]
    assert record.rejections[0].source.startswith("FHIR Observation/")
    scores = {s.name: s for s in compute_scores(record, make_burden(2, 30.0), images("1001"))}
    assert scores["Child-Pugh"].value == 5
    assert scores["ALBI"].value == pytest.approx(-2.194, abs=1e-3)
    assert scores["MELD 3.0"].value is not None
    assert all(i.source.startswith("FHIR Observation/") for i in scores["ALBI"].inputs)


def test_a_wrong_birth_date_gives_no_value_and_says_why(fhir_server: str) -> None:
    subject = post(fhir_server, make_patient("3003", "urn:hosp-a", "1961-04-05"))
    post(fhir_server, observation(subject, "1834-1", 7.0, "ng/mL", "2024-02-20"))
    record = pull(fhir_server, images("3003"))
    assert record.observations == ()
    assert record.sources == (
        "FHIR: refused: Wrong patient: birth date of the clinical source and of the images differ",
    )


def test_a_token_and_patience_are_enough_for_a_moody_server(moody_fhir_server: str) -> None:
    subject = post(moody_fhir_server, make_patient("4004", "urn:hosp-a"), "open-sesame")
    told = observation(subject, "1834-1", 7.0, "ng/mL", "2024-02-20")
    post(moody_fhir_server, told, "open-sesame")
    client = FhirClient(moody_fhir_server, BearerToken("open-sesame"), pause=lambda _: None)
    record = pull(moody_fhir_server, images("4004"), client)
    assert [o.value for o in record.observations] == [7.0]


def test_without_a_token_the_result_still_goes_out(moody_fhir_server: str) -> None:
    client = FhirClient(moody_fhir_server, pause=lambda _: None)
    record = pull(moody_fhir_server, images("4004"), client)
    assert record.observations == ()
    assert record.sources == ("FHIR: clinical data not available: HTTP 401",)


def test_a_slow_server_costs_bounded_time(slow_fhir_server: str) -> None:
    limits = FhirLimits(request_s=0.3, attempts=2, backoff_s=0.05)
    started = time.monotonic()
    record = pull(slow_fhir_server, images("5005"), FhirClient(slow_fhir_server, limits=limits))
    assert time.monotonic() - started < 5.0
    assert record.sources == ("FHIR: clinical data not available: no answer within 0.3 s",)


def test_a_server_that_is_down_is_reported() -> None:
    base = f"http://127.0.0.1:{free_port()}/fhir"
    limits = FhirLimits(attempts=2, backoff_s=0.01)
    record = pull(base, images("5005"), FhirClient(base, limits=limits))
    assert record.sources == ("FHIR: clinical data not available: no connection (ConnectError)",)


def test_a_long_history_is_read_over_all_pages(fhir_server: str) -> None:
    """120 values on 4 pages; 10,000 on a faster server is in test_fhir_source."""
    subject = post(fhir_server, make_patient("6006", "urn:hosp-a"))
    days = [f"{2000 + n // 336}-{n // 28 % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(120)]
    entries = [
        {
            "request": {"method": "POST", "url": "Observation"},
            "resource": observation(subject, "1834-1", 10.0, "ng/mL", day),
        }
        for day in days
    ]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = httpx.post(fhir_server, json=bundle, headers=HEADERS, timeout=60.0)
    assert answer.status_code == httpx.codes.OK, answer.text[:500]
    client = FhirClient(fhir_server, limits=FhirLimits(page_size=30, request_s=30.0))
    record = pull(fhir_server, images("6006"), client)
    assert len(record.history) == 120
    assert "days old" in record.rejections[0].reason
    assert record.sources == ("FHIR: 120 values of this patient",)
