"""Results go to a FHIR server once, about the right patient."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from dicom_node.clinical_source.fhir_client import FhirClient
from dicom_node.clinical_source.fhir_delivery import FHIR_NAME, FhirDelivery
from dicom_node.clinical_source.fhir_source import FhirSource
from dicom_node.errors import PeerError
from tests.dicom_node.testbed import make_ct, write_files

STUDY = {
    "type": "ImagingStudy",
    "identifier": {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"},
}
REPORT = {
    "resourceType": "DiagnosticReport",
    "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1"}],
    "status": "preliminary",
    "subject": {"type": "Patient", "identifier": {"value": "P1"}},
    "contained": [{"resourceType": "Observation", "id": "score1", "subject": {}}],
    "imagingStudy": [STUDY],
}


class Server:
    """A FHIR server on a dictionary that can create, update and search by identifier."""

    def __init__(self, *, born: str = "1960-01-01", studies: int = 1) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.methods: list[str] = []
        person = {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": born}
        person["identifier"] = [{"value": "P1"}]  # type: ignore[assignment]
        self.found: dict[str, list[dict[str, Any]]] = {
            "Patient": [person],
            "ImagingStudy": [{"resourceType": "ImagingStudy", "id": "s1"}] * studies,
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        kind = request.url.path.split("/")[2]
        self.methods.append(f"{request.method} {kind}")
        if request.method == "GET":
            own = [r for r in self.stored.values() if r["resourceType"] == kind]
            entries = [{"resource": r} for r in self.found.get(kind, own)]
            return httpx.Response(200, json={"resourceType": "Bundle", "entry": entries})
        body = json.loads(request.content)
        body.setdefault("id", f"r{len(self.stored) + 1}")
        self.stored[body["id"]] = body
        return httpx.Response(201, json=body)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A result folder: one DICOM object and the engine's resources."""
    write_files(make_ct(slices=1), tmp_path)
    bundle = {"resourceType": "Bundle", "entry": [{"resource": REPORT}]}
    (tmp_path / FHIR_NAME).write_text(json.dumps(bundle))
    return tmp_path


def _delivery(server: Server) -> FhirDelivery:
    def open_source(_name: str) -> FhirSource:
        transport = httpx.MockTransport(server)
        return FhirSource(client=FhirClient("https://ehr.test/fhir", transport=transport))

    return FhirDelivery(open_source)


def test_a_repeated_delivery_leaves_one_copy(folder: Path) -> None:
    server = Server()
    for _ in range(2):
        assert _delivery(server).deliver("EHR", folder) == "EHR: DiagnosticReport/r1 stored"
    assert list(server.stored) == ["r1"]
    assert [m for m in server.methods if not m.startswith("GET")] == [
        "POST DiagnosticReport",
        "PUT DiagnosticReport",
    ]


@pytest.mark.parametrize(("studies", "reference"), [(1, "ImagingStudy/s1"), (0, None), (2, None)])
def test_patient_and_study_get_the_servers_references(
    folder: Path, studies: int, reference: str | None
) -> None:
    server = Server(studies=studies)
    _delivery(server).deliver("EHR", folder)
    (report,) = server.stored.values()
    assert report["subject"] == {"reference": "Patient/p1"}
    assert report["contained"][0]["subject"] == {"reference": "Patient/p1"}
    assert report["imagingStudy"][0]["identifier"] == STUDY["identifier"]
    assert report["imagingStudy"][0].get("reference") == reference


def test_another_person_under_the_number_gets_nothing(folder: Path) -> None:
    server = Server(born="1960-02-01")
    with pytest.raises(PeerError, match="EHR: Wrong patient: birth date"):
        _delivery(server).deliver("EHR", folder)
    assert server.stored == {}


def test_a_result_without_resources_has_nothing_to_send(tmp_path: Path) -> None:
    assert "Nothing" in _delivery(Server()).deliver("EHR", tmp_path)
