"""Issue 5, must show 1: a real MLLP sender of another implementation (@medplum/hl7)."""

from datetime import date
from pathlib import Path

import pytest

from dicom_node.clinical_source.hl7_source import Hl7Source
from dicom_node.clinical_source.hl7_store import Hl7Store
from engine.clinical.join import join_sources
from engine.clinical.scores.compute import compute_scores
from engine.values.identity import PatientIdentity
from tests.phantoms.clinical_records import make_burden
from tests.phantoms.ehr_peers import send_hl7
from tests.phantoms.hl7_messages import adt, oru
from tests.phantoms.mllp import run_listener

pytestmark = pytest.mark.peer

IMAGES = PatientIdentity(
    patient_id="4711",
    issuer_of_patient_id="HOSP_A",
    patient_birth_date="19610504",
    patient_sex="M",
)


def test_results_corrections_and_updates_arrive_and_are_scored(tmp_path: Path) -> None:
    store = Hl7Store(tmp_path / "hl7.sqlite")
    messages = [
        oru(
            "NM|1975-2^Bili^LN||1.2|mg/dL|||||F",
            "NM|1751-7^Alb^LN||3.6|g/dL|||||F",
            "SN|1834-1^AFP^LN||<^2.0|ng/mL|||||F",
            "NM|2951-2^Na^LN||113|mmol/L|||||F",
            control="m1",
        ),
        oru("NM|2951-2^Na^LN||131|mmol/L|||||C", control="m2"),
        adt("A08", "m3", "4711^^^HOSP_A"),
        oru("NM|1834-1^AFP^LN||9999|ng/mL|||||F", control="m4", patient="4711^^^HOSP_B"),
    ]
    with run_listener(store) as port:
        answers = send_hl7(tmp_path / "sender", port, messages)
    assert answers == [f"MSA|AA|m{number}" for number in range(1, 5)]
    record = join_sources([Hl7Source(store=store)], IMAGES, date(2024, 3, 1))
    store.close()
    values = {o.analyte: o.value for o in record.observations}
    assert values["sodium"] == 131.0
    assert values["afp"] == 2.0
    albi = next(s for s in compute_scores(record, make_burden(1, 20.0)) if s.name == "ALBI")
    assert albi.value == pytest.approx(-2.194, abs=1e-3)
    assert [i.source for i in albi.inputs] == ["HL7 message m1 OBX 1", "HL7 message m1 OBX 2"]


def test_umlauts_and_large_reports_are_taken(tmp_path: Path) -> None:
    """The defaults of a common Python listener drop both (testbed FACTS, EHR)."""
    store = Hl7Store(tmp_path / "hl7.sqlite")
    large = oru(f"TX|99999-9^Befund^L||{'Größe ' * 40_000}||||||F", control="big")
    with run_listener(store) as port:
        answers = send_hl7(tmp_path / "sender", port, [large])
    assert answers == ["MSA|AA|big"]
    assert store.count() == 1
    store.close()
