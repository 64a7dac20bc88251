"""FHIR R4 resources become raw values."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.clinical.fhir_reading import (
    read_day,
    read_identities,
    read_resource,
    replaced_patients,
    replacing_patient,
    subject_id,
)
from engine.errors import ClinicalDataError


def _concept(code: str, system: str = "http://loinc.org") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _observation(code: str, **more: object) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "12",
        "status": "final",
        "code": _concept(code),
        "effectiveDateTime": "2024-02-20T08:15:00+01:00",
        **more,
    }


def test_a_quantity_is_read_with_its_ucum_code_date_and_comparator() -> None:
    quantity = {
        "value": 2.0,
        "comparator": "<",
        "unit": "nanogram/mL",
        "system": "http://unitsofmeasure.org",
        "code": "ng/mL",
    }
    (raw,) = read_resource(_observation("1834-1", valueQuantity=quantity), {})
    assert (raw.code, raw.value, raw.unit) == ("afp", "<2.0", "ng/mL")
    assert raw.observed_on == date(2024, 2, 20)
    assert raw.source == "FHIR Observation/12"


def test_components_and_the_laboratorys_upper_limit_are_read() -> None:
    panel = {
        "resourceType": "Observation",
        "id": "7",
        "status": "amended",
        "code": _concept("24325-3"),
        "effectivePeriod": {"end": "2024-02-21"},
        "component": [
            {
                "code": _concept("1920-8"),
                "valueQuantity": {"value": 55, "unit": "U/L"},
                "referenceRange": [{"high": {"value": 35, "unit": "U/L"}}],
            },
            {"code": _concept("1742-6"), "valueQuantity": {"value": 61, "unit": "U/L"}},
        ],
    }
    raws = read_resource(panel, {})
    assert [(r.code, r.value, r.status) for r in raws] == [
        ("ast", "55", "amended"),
        ("ast_upper_limit", "35", "amended"),
        ("alt", "61", "amended"),
    ]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ({"valueInteger": 1}, "1"),
        ({"valueCodeableConcept": {"coding": [{"code": "LA9623-5"}]}}, "LA9623-5"),
        ({"valueCodeableConcept": {"coding": [{"code": "X", "display": "2"}]}}, "2"),
        ({"valueCodeableConcept": {"text": "3"}}, "3"),
        ({"valueString": "0"}, "0"),
    ],
)
def test_coded_values_come_in_many_shapes(value: dict[str, object], word: str) -> None:
    (raw,) = read_resource(_observation("89247-1", **value), {})
    assert raw.value == word


def test_an_observation_without_a_value_says_nothing() -> None:
    assert read_resource(_observation("1834-1", dataAbsentReason={"text": "clotted"}), {}) == []


def test_site_codes_are_translated_by_the_table() -> None:
    resource = _observation("1", valueQuantity={"value": 3})
    resource["code"] = _concept("AFPQ", "urn:lab")
    assert read_resource(resource, {}) == []
    assert read_resource(resource, {"urn:lab|AFPQ": "afp"})[0].code == "afp"


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({}, "present"),
        ({"verificationStatus": _concept("refuted")}, "absent"),
        ({"verificationStatus": _concept("provisional")}, None),
        ({"clinicalStatus": _concept("resolved")}, None),
    ],
)
def test_conditions_count_only_when_they_stand(more: dict[str, object], word: str | None) -> None:
    resource = {
        "resourceType": "Condition",
        "id": "3",
        "code": _concept("19943007", "http://snomed.info/sct"),
        "recordedDate": "2019-01-01",
        **more,
    }
    raws = read_resource(resource, {})
    assert [r.value for r in raws] == ([] if word is None else [word])


def test_the_severity_of_ascites_becomes_its_word() -> None:
    resource = {
        "resourceType": "Condition",
        "code": _concept("389026000", "http://snomed.info/sct"),
        "severity": _concept("255604002", "http://snomed.info/sct"),
    }
    assert read_resource(resource, {})[0].value == "slight"


def test_an_operation_and_a_systemic_drug_are_history() -> None:
    operation = {
        "resourceType": "Procedure",
        "status": "completed",
        "code": _concept("107963000", "http://snomed.info/sct"),
        "performedPeriod": {"end": "2024-01-10"},
    }
    (done,) = read_resource(operation, {})
    assert (done.code, done.observed_on) == ("surgery_date", date(2024, 1, 10))
    drug = {
        "resourceType": "MedicationStatement",
        "status": "completed",
        "medicationCodeableConcept": _concept("L01EX08", "http://www.whocc.no/atc"),
    }
    assert [(r.code, r.value) for r in read_resource(drug, {})] == [
        ("previous_treatment", "present")
    ]


def test_identities_name_the_issuer_and_leave_old_identifiers_out() -> None:
    patient = {
        "resourceType": "Patient",
        "gender": "female",
        "birthDate": "1961-05-04",
        "identifier": [
            {"system": "urn:a", "value": "1"},
            {"system": "urn:b", "value": "2"},
            {"system": "urn:a", "value": "0", "use": "old"},
        ],
    }
    identities = read_identities(patient, {"urn:a": "HOSP_A"})
    assert [(i.patient_id, i.issuer, i.sex) for i in identities] == [
        ("1", "HOSP_A", "F"),
        ("2", "urn:b", "F"),
    ]


def test_a_merge_points_to_the_surviving_patient() -> None:
    link = {"type": "replaced-by", "other": {"reference": "Patient/9/_history/2"}}
    assert replacing_patient({"link": [link]}) == "9"
    assert replacing_patient({}) == ""
    assert subject_id({"subject": {"reference": "http://x/fhir/Patient/5"}}) == "5"
    assert subject_id({"subject": {"reference": "Group/5"}}) == ""


@pytest.mark.parametrize("text", ["2024", "2024-02", "", None, "yesterday"])
def test_a_date_that_is_not_a_day_is_no_day(text: object) -> None:
    assert read_day(text) is None


@pytest.mark.parametrize(
    "wrong",
    [{"component": "x"}, {"code": []}, {"effectivePeriod": "x"}, {"valueQuantity": "x"}],
)
def test_a_malformed_resource_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ClinicalDataError, match="not structured"):
        read_resource(_observation("1834-1") | wrong, {})


@pytest.mark.parametrize(
    ("written", "zone", "day"),
    [
        ("2024-03-01T23:30:00Z", "Europe/Berlin", date(2024, 3, 2)),
        ("2024-03-01T23:30:00Z", None, date(2024, 3, 1)),
        ("2024-03-02T05:00:00+09:00", "Asia/Tokyo", date(2024, 3, 2)),
        ("2024-03-02T01:00:00Z", "America/New_York", date(2024, 3, 1)),
        ("2024-03-01", "Asia/Tokyo", date(2024, 3, 1)),
    ],
)
def test_a_moment_belongs_to_the_hospitals_day(written: str, zone: str | None, day: date) -> None:
    resource = _observation("1834-1", valueInteger=5, effectiveDateTime=written)
    (raw,) = read_resource(resource, {}, ZoneInfo(zone) if zone else None)
    assert raw.observed_on == day
    assert (raw.observed_at is None) == ("T" not in written)


def test_a_merge_points_back_to_the_patients_it_replaced() -> None:
    links = [
        {"type": "replaces", "other": {"reference": "Patient/7"}},
        {"type": "seealso", "other": {"reference": "Patient/8"}},
    ]
    assert replaced_patients({"link": links}) == ["7"]
