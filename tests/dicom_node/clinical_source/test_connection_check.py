"""Clinical sources are looked at before a site goes live."""

from pathlib import Path

import pytest

from dicom_node.clinical_source import connection_check
from dicom_node.clinical_source.connection_check import check_sources
from dicom_node.clinical_source.fhir_client import FhirClient
from dicom_node.clinical_source.fhir_source import FhirSource
from engine.clinical.source import SourceUnavailableError
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.testbed import free_port


def test_a_server_that_is_down_and_a_folder_that_cannot_be_made_are_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    configuration = build_configuration(
        tmp_path / "state",
        clinical={
            "fhir": [{"base_url": f"http://127.0.0.1:{free_port()}/fhir", "attempts": 1}],
            "hl7": {"port": 2575, "store": str(blocker / "hl7.sqlite")},
        },
    )
    (fhir, fhir_fault), (hl7, hl7_fault) = check_sources(configuration)
    assert (fhir, fhir_fault) == ("FHIR server FHIR", "no connection (ConnectError)")
    assert hl7 == "HL7 feed"
    assert str(blocker) in hl7_fault


@pytest.mark.parametrize(
    ("version", "fault"), [("4.0.1", ""), ("4.3.0", ""), ("3.0.2", "FHIR 3.0.2"), ("", "no stated")]
)
def test_only_r4_is_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, fault: str
) -> None:
    class Client(FhirClient):
        def capabilities(self) -> dict[str, str]:
            return {"resourceType": "CapabilityStatement", "fhirVersion": version}

    client = Client("https://ehr.test/fhir")
    monkeypatch.setattr(connection_check, "open_fhir_source", lambda *_: FhirSource(client=client))
    clinical = {"fhir": [{"base_url": "https://ehr.test/fhir"}]}
    ((_, found),) = check_sources(build_configuration(tmp_path, clinical=clinical))
    assert (fault in found) if fault else found == ""


def test_a_refused_token_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Client(FhirClient):
        def capabilities(self) -> dict[str, str]:
            raise SourceUnavailableError("HTTP 401")

    client = Client("https://ehr.test/fhir")
    monkeypatch.setattr(connection_check, "open_fhir_source", lambda *_: FhirSource(client=client))
    clinical = {"fhir": [{"base_url": "https://ehr.test/fhir"}]}
    assert check_sources(build_configuration(tmp_path, clinical=clinical))[0][1] == "HTTP 401"
