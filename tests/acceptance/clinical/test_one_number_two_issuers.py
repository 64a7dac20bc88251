"""Issue 5, must show 4: two patients with the same MRN from different issuers never mix."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from dicom_node.clinical_source.fhir_client import FhirClient
from dicom_node.clinical_source.fhir_source import FhirSource
from dicom_node.clinical_source.hl7_source import Hl7Source
from dicom_node.clinical_source.hl7_store import Hl7Store
from engine.clinical.clinical_file import FileSource
from engine.clinical.join import join_sources
from engine.clinical.source import ClinicalSource
from engine.values.identity import PatientIdentity
from tests.phantoms.ehr_peers import send_hl7
from tests.phantoms.fhir_people import make_observation, make_patient, post
from tests.phantoms.hl7_messages import oru
from tests.phantoms.mllp import run_listener

pytestmark = pytest.mark.peer

NUMBER = "2222"
REFERENCE = date(2024, 3, 1)
ISSUERS = {"HOSP_A": "urn:hosp-a", "HOSP_B": "urn:hosp-b"}
AFP = {"HOSP_A": 7.0, "HOSP_B": 9999.0}
MINE = PatientIdentity(
    patient_id=NUMBER,
    issuer_of_patient_id="HOSP_A",
    patient_birth_date="19610504",
    patient_sex="M",
)
"""The other patient was born on the same day and is a man, too: only the issuer tells."""


def _values(source: ClinicalSource, issuer: str) -> list[float | str]:
    patient = replace(MINE, issuer_of_patient_id=issuer)
    return [o.value for o in join_sources([source], patient, REFERENCE).history]


@pytest.mark.parametrize("issuer", ISSUERS)
def test_on_a_real_fhir_server(fhir_server: str, issuer: str) -> None:
    number = f"{NUMBER}-{issuer}"
    for system, value in (("urn:hosp-a", 7.0), ("urn:hosp-b", 9999.0)):
        subject = post(fhir_server, make_patient(number, system))
        post(fhir_server, make_observation(subject, ("1834-1", value, "ng/mL", "2024-02-20")))
    client = FhirClient(fhir_server)
    source = FhirSource(client=client, issuers=ISSUERS)
    patient = replace(MINE, patient_id=number, issuer_of_patient_id=issuer)
    record = join_sources([source], patient, REFERENCE)
    client.close()
    assert [o.value for o in record.history] == [AFP[issuer]]


def test_over_a_real_mllp_sender(tmp_path: Path) -> None:
    store = Hl7Store(tmp_path / "hl7.sqlite")
    row = "NM|1834-1^AFP^LN||{}|ng/mL|||||F"
    messages = [
        oru(row.format(value), control=issuer, patient=f"{NUMBER}^^^{issuer}^MR")
        for issuer, value in AFP.items()
    ]
    with run_listener(store) as port:
        send_hl7(tmp_path / "sender", port, messages)
    source = Hl7Source(store=store)
    for issuer, value in AFP.items():
        assert _values(source, issuer) == [value]
    nameless = join_sources([source], replace(MINE, issuer_of_patient_id=""), REFERENCE)
    assert nameless.history == ()
    assert "several issuers" in nameless.sources[0]
    store.close()


def test_in_one_bundle_and_in_one_spreadsheet(tmp_path: Path) -> None:
    table, bundle = tmp_path / "labs.csv", tmp_path / "bundle.json"
    lines = ["patient_id,issuer,birth_date,sex,analyte,value,unit,date"]
    entries = []
    for issuer, value in AFP.items():
        lines.append(f"{NUMBER},{issuer},1961-05-04,M,afp,{value},ng/mL,2024-02-20")
        told = ("1834-1", value, "ng/mL", "2024-02-20")
        entries += [make_patient(NUMBER, issuer) | {"id": issuer}, make_observation(issuer, told)]
    table.write_text("\n".join(lines) + "\n")
    document = {"resourceType": "Bundle", "entry": [{"resource": r} for r in entries]}
    bundle.write_text(json.dumps(document))
    for path in (table, bundle):
        for issuer, value in AFP.items():
            assert _values(FileSource(path=path), issuer) == [value]
