"""Values of one patient from stored messages."""

from pathlib import Path

import pytest

from dicom_node.clinical_source.hl7_source import Hl7Source
from dicom_node.clinical_source.hl7_store import Hl7Store, check_message
from engine.errors import ClinicalDataError
from engine.values.clinical import Observation
from engine.values.identity import PatientIdentity
from tests.phantoms.hl7_messages import adt, oru

IMAGES = PatientIdentity(
    patient_id="4711",
    issuer_of_patient_id="HOSP_A",
    patient_birth_date="19610504",
    patient_sex="M",
)


@pytest.fixture
def source(tmp_path: Path) -> Hl7Source:
    return Hl7Source(store=Hl7Store(tmp_path / "hl7.sqlite"))


def _put(source: Hl7Source, *texts: str) -> None:
    for text in texts:
        content = text.encode("utf-8")
        source.store.put(content, check_message(content))


def _values(source: Hl7Source, patient: PatientIdentity = IMAGES) -> list[float | str]:
    return [o.value for o in source.fetch(patient).offered if isinstance(o, Observation)]


AFP = "NM|1834-1^AFP^LN||{value}|ng/mL|||||{status}"


def test_a_correction_replaces_and_another_issuer_never_mixes(source: Hl7Source) -> None:
    _put(
        source,
        oru(AFP.format(value=10, status="F"), control="c1"),
        oru(AFP.format(value=12, status="C"), control="c2"),
        oru(AFP.format(value=999, status="F"), control="c3", patient="4711^^^HOSP_B"),
    )
    assert _values(source) == [12.0]
    assert source.fetch(IMAGES).notes == ("HL7 feed: 1 values in 2 messages of this patient",)
    source.store.close()


def test_a_merged_patients_values_come_along(source: Hl7Source) -> None:
    _put(
        source,
        oru(AFP.format(value=5, status="F"), control="c1", patient="0815^^^HOSP_A"),
        adt("A40", "m1", "4711^^^HOSP_A", old="0815^^^HOSP_A"),
    )
    assert _values(source) == [5.0]
    source.store.close()


def test_a_stranger_merged_by_mistake_brings_no_values(source: Hl7Source) -> None:
    _put(
        source,
        oru(AFP.format(value=7, status="F"), control="c0"),
        oru(
            AFP.format(value=5, status="F"), control="c1", patient="0815^^^HOSP_A", born="19800101"
        ),
        adt("A40", "m1", "4711^^^HOSP_A", old="0815^^^HOSP_A"),
    )
    assert _values(source) == [7.0]
    assert "merged identifier: Wrong patient: birth date" in source.fetch(IMAGES).notes[1]
    source.store.close()


def test_the_hospitals_issuer_and_codes_are_translated(tmp_path: Path) -> None:
    source = Hl7Source(
        store=Hl7Store(tmp_path / "hl7.sqlite"),
        issuers={"HOSP_A": "MASTER"},
        codes={"L|AFPQ": "afp"},
    )
    row = "NM|AFPQ^AFP^L||10|ng/mL|||||F"
    _put(source, oru(row, patient="4711^^^MASTER"), oru(row, control="c2", patient="4711^^^X"))
    assert _values(source) == [10.0]
    source.store.close()


def test_the_latest_demographics_count(source: Hl7Source) -> None:
    _put(source, oru(AFP.format(value=5, status="F"), born="19610405"))
    with pytest.raises(ClinicalDataError, match="birth date"):
        source.fetch(IMAGES)
    _put(source, adt("A08", "u1", "4711^^^HOSP_A"))
    assert _values(source) == [5.0]
    source.store.close()


def test_a_stranger_and_an_ambiguous_number_are_refused(source: Hl7Source) -> None:
    with pytest.raises(ClinicalDataError, match="no message about the patient"):
        source.fetch(IMAGES)
    _put(
        source,
        oru(AFP.format(value=1, status="F"), control="c1"),
        oru(AFP.format(value=2, status="F"), control="c2", patient="4711^^^HOSP_B"),
    )
    with pytest.raises(ClinicalDataError, match="several issuers"):
        source.fetch(PatientIdentity(patient_id="4711"))
    source.store.close()
