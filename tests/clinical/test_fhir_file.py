"""FHIR Bundle and NDJSON files."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.clinical.fhir_file import read_fhir_file
from engine.errors import ClinicalDataError
from engine.values.identity import PatientIdentity

IMAGES = PatientIdentity(
    patient_id="4711",
    issuer_of_patient_id="HOSP_A",
    patient_birth_date="19610504",
    patient_sex="M",
)
REFERENCE = date(2024, 3, 1)
ISSUERS = {"urn:hosp-a": "HOSP_A", "urn:hosp-b": "HOSP_B"}


def patient(key: str, number: str, system: str, born: str = "1961-05-04") -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": key,
        "gender": "male",
        "birthDate": born,
        "identifier": [{"system": system, "value": number}],
    }


def afp(key: str, subject: str, value: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": key,
        "status": "final",
        "subject": {"reference": f"Patient/{subject}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "1834-1"}]},
        "effectiveDateTime": "2024-02-20",
        "valueQuantity": {"value": value, "unit": "ng/mL"},
    }


RESOURCES = [
    patient("p1", "4711", "urn:hosp-a"),
    patient("p2", "4711", "urn:hosp-b", "1950-01-01"),
    afp("o1", "p1", 12.0),
    afp("o2", "p2", 9999.0),
]


def _bundle(tmp_path: Path, resources: list[dict[str, Any]]) -> Path:
    path = tmp_path / "bundle.json"
    entries = [{"resource": resource} for resource in resources]
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}), encoding="utf-8")
    return path


def test_two_patients_with_one_number_from_two_issuers_never_mix(tmp_path: Path) -> None:
    record = read_fhir_file(_bundle(tmp_path, RESOURCES), IMAGES, REFERENCE, ISSUERS)
    assert [(o.value, o.source) for o in record.history] == [(12.0, "FHIR Observation/o1")]


def test_ndjson_reads_like_a_bundle(tmp_path: Path) -> None:
    path = tmp_path / "export.ndjson"
    path.write_text("\n".join(json.dumps(r) for r in RESOURCES) + "\n", encoding="utf-8")
    one = read_fhir_file(path, IMAGES, REFERENCE, ISSUERS)
    other = read_fhir_file(_bundle(tmp_path, RESOURCES), IMAGES, REFERENCE, ISSUERS)
    assert one == other


def test_a_merge_is_followed_in_both_directions(tmp_path: Path) -> None:
    old = patient("p0", "0815", "urn:hosp-a")
    old["link"] = [{"type": "replaced-by", "other": {"reference": "Patient/p1"}}]
    resources = [patient("p1", "4711", "urn:hosp-a"), old, afp("o1", "p0", 5.0)]
    record = read_fhir_file(_bundle(tmp_path, resources), IMAGES, REFERENCE, ISSUERS)
    assert [o.value for o in record.history] == [5.0]


def test_a_merge_with_somebody_else_is_refused(tmp_path: Path) -> None:
    old = patient("p0", "0815", "urn:hosp-a", "1980-01-01")
    old["link"] = [{"type": "replaced-by", "other": {"reference": "Patient/p1"}}]
    resources = [patient("p1", "4711", "urn:hosp-a"), old, afp("o1", "p0", 5.0)]
    with pytest.raises(ClinicalDataError, match="Wrong patient: birth date"):
        read_fhir_file(_bundle(tmp_path, resources), IMAGES, REFERENCE, ISSUERS)


def test_a_wrong_birth_date_refuses_everything(tmp_path: Path) -> None:
    resources = [patient("p1", "4711", "urn:hosp-a", "1961-05-05"), afp("o1", "p1", 12.0)]
    with pytest.raises(ClinicalDataError, match="Wrong patient: birth date"):
        read_fhir_file(_bundle(tmp_path, resources), IMAGES, REFERENCE, ISSUERS)


def test_without_the_patient_nothing_is_used(tmp_path: Path) -> None:
    with pytest.raises(ClinicalDataError, match="no Patient"):
        read_fhir_file(_bundle(tmp_path, RESOURCES[1:2]), IMAGES, REFERENCE, ISSUERS)


def test_one_malformed_resource_is_reported_and_the_rest_is_used(tmp_path: Path) -> None:
    broken = afp("o3", "p1", 3.0) | {"component": "x"}
    record = read_fhir_file(_bundle(tmp_path, [*RESOURCES, broken]), IMAGES, REFERENCE, ISSUERS)
    assert record.find("afp") is not None
    assert [(r.source, r.reason) for r in record.rejections] == [
        ("FHIR Observation/o3", "not structured as FHIR R4 says")
    ]


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"resourceType":"Bundle","entry":3}'])
def test_a_file_that_is_not_fhir_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ClinicalDataError):
        read_fhir_file(path, IMAGES, REFERENCE)
