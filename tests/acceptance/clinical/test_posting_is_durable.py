"""Issue 5: results reach the FHIR server once, however long it was away."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from dicom_node.audit import AuditTrail
from dicom_node.delivery import Courier
from dicom_node.dispatch import Dispatch
from dicom_node.index import Index
from dicom_node.ledger import Ledger, ResultObject
from dicom_node.peers import PeerClient
from dicom_node.schema import create_tables, open_database
from dicom_node.settings import Configuration
from engine.reporting.composition import compose_reports
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.test_ledger import make_job, state_of
from tests.phantoms.analysis_result import SEGMENTS, cached_result
from tests.phantoms.ehr_peers import free_port
from tests.phantoms.fhir_people import make_patient, post

pytestmark = pytest.mark.peer

DESTINATION = "EHR results"
JOB = "durable-job"


def _configure(folder: Path, base_url: str) -> Configuration:
    issuers = [{"name": "DURABLE", "system": "urn:durable"}]
    server = {"name": "EHR", "base_url": base_url, "attempts": 1, "issuers": issuers}
    return build_configuration(
        folder,
        clinical={"issuer": "DURABLE", "fhir": [server]},
        destination=[{"name": DESTINATION, "fhir": "EHR"}],
    )


def _lay_out(folder: Path, job_id: str) -> None:
    """A result folder as the engine leaves it."""
    result = cached_result()
    result = replace(result, context=replace(result.context, job_id=JOB))
    place = folder / "results" / job_id
    place.mkdir(parents=True)
    for file in compose_reports(result, SEGMENTS):
        (place / file.name).write_bytes(file.content)


def _stored(base: str, kind: str) -> list[str]:
    """Identifiers of the resources of this test's job."""
    entries = httpx.get(f"{base}/{kind}", timeout=30.0).json().get("entry", [])
    return [e["resource"]["identifier"][0]["value"] for e in entries]


def test_a_server_that_comes_back_gets_every_resource_once(
    fhir_server: str, tmp_path: Path
) -> None:
    away = _configure(tmp_path, f"http://127.0.0.1:{free_port()}/fhir")
    database = open_database(away.database_url)
    create_tables(database)
    ledger, dispatch = Ledger(Index(database)), Dispatch(database)
    job_id = make_job(ledger.index, ledger, 1)
    ledger.start_analysis(job_id, "h")
    _lay_out(away.shared, job_id)
    document = ResultObject(sop_instance_uid="2.25.1", sop_class_uid="1", kind="SR", name="sr.dcm")
    ledger.finish_analysis(
        job_id, outcome="result", reason="", results=[document], destinations=[DESTINATION]
    )

    def deliver(configuration: Configuration) -> tuple[str, int, str]:
        client, audit = PeerClient(configuration.ae_title), AuditTrail(configuration)
        Courier(configuration, ledger, dispatch, client, audit).deliver(job_id, DESTINATION)
        row = dispatch.find_delivery(job_id, DESTINATION)
        assert row is not None
        return state_of(ledger, job_id), int(row["tries"]), str(row["reason"])

    assert deliver(away) == ("delivering", 1, "EHR: no connection (ConnectError)")
    back = _configure(tmp_path, fhir_server)
    patient = cached_result().reference.study.patient
    assert deliver(back)[:2] == ("delivering", 2)  # the patient is not registered yet
    born = patient.patient_birth_date
    day = f"{born[:4]}-{born[4:6]}-{born[6:]}"
    post(fhir_server, make_patient(patient.patient_id, "urn:durable", day, "female"))
    before = {kind: _stored(fhir_server, kind) for kind in ("DiagnosticReport", "RiskAssessment")}
    state, _, reason = deliver(back)
    assert state == "delivered", reason
    assert "DiagnosticReport/" in reason
    deliver(back)
    for kind, identifiers in before.items():
        new = [i for i in _stored(fhir_server, kind) if i not in identifiers]
        assert len(new) == len(set(new)) == 1, kind
