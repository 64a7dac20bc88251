"""Right patient or nothing."""

from datetime import date

import pytest

from engine.clinical.right_patient import (
    SourceIdentity,
    fold_sex,
    is_same_identifier,
    require_right_patient,
)
from engine.errors import ClinicalDataError
from engine.values.identity import PatientIdentity

IMAGES = PatientIdentity(
    patient_id="4711",
    issuer_of_patient_id="HOSP_A",
    patient_birth_date="19610504",
    patient_sex="M",
)
SAME = {"patient_id": "4711", "issuer": "HOSP_A", "birth_date": date(1961, 5, 4), "sex": "M"}


def test_the_same_patient_passes_without_notes() -> None:
    assert require_right_patient(SourceIdentity(**SAME), IMAGES) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"patient_id": "4712"}, "identifier"),
        ({"issuer": "HOSP_B"}, "issuer"),
        ({"birth_date": date(1961, 4, 5)}, "birth date"),
        ({"sex": "F"}, "sex"),
    ],
)
def test_one_disagreeing_attribute_refuses_and_is_named_without_its_value(
    changed: dict[str, object], named: str
) -> None:
    with pytest.raises(ClinicalDataError, match=f"Wrong patient: {named}") as caught:
        require_right_patient(SourceIdentity(**(SAME | changed)), IMAGES)  # type: ignore[arg-type]
    for secret in ("4711", "4712", "HOSP", "1961"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"issuer": ""}, "issuer"), ({"birth_date": None}, "birth date"), ({"sex": ""}, "sex")],
)
def test_what_the_images_state_the_source_must_state_too(
    changed: dict[str, object], named: str
) -> None:
    with pytest.raises(ClinicalDataError, match=f"gives no {named}"):
        require_right_patient(SourceIdentity(**(SAME | changed)), IMAGES)  # type: ignore[arg-type]


def test_what_the_images_leave_out_is_noted() -> None:
    images = PatientIdentity(patient_id="4711")
    notes = require_right_patient(SourceIdentity(**SAME), images)  # type: ignore[arg-type]
    assert notes == ("issuer, birth date, sex not in the images: not compared",)


def test_images_without_an_identifier_join_nothing() -> None:
    with pytest.raises(ClinicalDataError, match="Patient ID of the images is empty"):
        require_right_patient(SourceIdentity(patient_id=""), PatientIdentity(patient_id=""))


def test_the_same_number_from_another_issuer_is_another_patient() -> None:
    assert is_same_identifier(SourceIdentity(patient_id="4711", issuer="HOSP_A"), IMAGES)
    assert not is_same_identifier(SourceIdentity(patient_id="4711", issuer="HOSP_B"), IMAGES)


def test_an_unknown_sex_is_empty_and_a_strange_one_is_refused() -> None:
    assert fold_sex("unknown") == ""
    assert fold_sex("Female") == "F"
    with pytest.raises(ClinicalDataError):
        fold_sex("zebra")
