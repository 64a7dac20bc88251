"""Addresses of a command line become the node's sources."""

from pathlib import Path

import pytest

from dicom_node.clinical_source.command_line import open_fhir, open_hl7, open_node
from dicom_node.clinical_source.hl7_store import Hl7Store
from engine.clinical.source_opening import SourceOptions
from engine.errors import ClinicalDataError


def test_a_fhir_server_gets_the_options(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    options = SourceOptions(token_file=token, issuers={"A": "urn:a"}, time_zone="Asia/Tokyo")
    (source,) = open_fhir("https://ehr.test/fhir", options)
    assert source.issuers == {"A": "urn:a"}
    assert str(source.zone) == "Asia/Tokyo"
    source.close()


def test_patient_data_does_not_travel_in_the_clear() -> None:
    with pytest.raises(ClinicalDataError, match="in the clear"):
        open_fhir("http://ehr.test/fhir", SourceOptions())


def test_a_store_of_messages_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ClinicalDataError, match="No file of HL7 messages"):
        open_hl7(f"hl7:{tmp_path / 'none.sqlite'}", SourceOptions())
    assert not (tmp_path / "none.sqlite").exists()


def test_a_nodes_configuration_names_its_sources(tmp_path: Path) -> None:
    Hl7Store(tmp_path / "hl7.sqlite").close()
    config = tmp_path / "node.toml"
    config.write_text(
        f"""
[storage]
folder = "{tmp_path}"
[[clinical.fhir]]
name = "EHR"
base_url = "https://ehr.test/fhir"
[[clinical.fhir]]
name = "results only"
base_url = "https://other.test/fhir"
read = false
[clinical.hl7]
port = 2575
"""
    )
    sources = open_node(f"node:{config}", SourceOptions(), {})
    assert [source.name for source in sources] == ["EHR", "HL7 feed"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [("x = ", "has faults"), ('[storage]\nfolder = "."', "no clinical source")],
)
def test_a_configuration_that_helps_nobody_is_named(
    tmp_path: Path, content: str, reason: str
) -> None:
    config = tmp_path / "node.toml"
    config.write_text(content)
    with pytest.raises(ClinicalDataError, match=reason):
        open_node(f"node:{config}", SourceOptions(), {})
