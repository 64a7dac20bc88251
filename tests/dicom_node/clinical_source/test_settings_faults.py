"""Every fault of [clinical] by name, before anything starts."""

from pathlib import Path
from typing import Any

import pytest

from dicom_node.configuration import parse_configuration
from dicom_node.errors import ConfigurationError

EHR = {"name": "EHR", "base_url": "https://ehr.test/fhir"}


def _parse(tmp_path: Path, clinical: dict[str, Any], **more: object) -> None:
    table = {"storage": {"folder": str(tmp_path)}, "clinical": clinical, **more}
    parse_configuration(table, {})


def test_a_hospitals_configuration_is_taken(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("x")
    server = {
        **EHR,
        "token_file": str(token),
        "issuers": [{"name": "HOSP_A", "system": "urn:a"}],
        "codes": [{"code": "urn:lab|AFPQ", "analyte": "afp"}],
    }
    configuration = parse_configuration(
        {
            "storage": {"folder": str(tmp_path)},
            "clinical": {
                "issuer": "HOSP_A",
                "time_zone": "Europe/Berlin",
                "fhir": [server],
                "hl7": {"port": 2575},
            },
            "destination": [{"name": "EHR results", "fhir": "EHR"}],
        },
        {"HEPATOCAST_NODE__CLINICAL__WAIT_SECONDS": "5"},
    )
    assert configuration.clinical.is_used
    assert configuration.clinical.wait_seconds == 5.0
    assert configuration.find_fhir("EHR").issuers[0].system == "urn:a"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"base_url": "ftp://ehr.test"}, "must begin with http"),
        ({"base_url": "http://ehr.test/fhir"}, "in the clear"),
        ({"base_url": "https://me:pw@ehr.test"}, "no password"),
        ({"codes": [{"code": "x|y", "analyte": "hemoglobin"}]}, "'hemoglobin' is unknown"),
        ({"token_file": "missing-token"}, "no such file: missing-token"),
        ({"smart": {"token_url": "https://login.test"}}, "key_file' is missing"),
        ({"smart": {"algorithm": "none"}}, "RS384 or ES384"),
        ({"key": "missing.pem"}, "'key' needs 'certificate'"),
        ({"request_seconds": 0}, "'request_seconds' must be above 0"),
    ],
)
def test_a_fault_of_a_server_is_named(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        _parse(tmp_path, {"fhir": [EHR | change]})


@pytest.mark.parametrize(
    ("clinical", "fault"),
    [
        ({"time_zone": "Middle/Earth"}, "no IANA time zone"),
        ({"wait_seconds": 0}, "wait_seconds"),
        ({"hl7": {"port": 70000}}, "hl7.port"),
        ({"fhir": [EHR, EHR]}, "Two of"),
    ],
)
def test_a_fault_of_the_table_is_named(
    tmp_path: Path, clinical: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        _parse(tmp_path, clinical)


def test_a_destination_must_name_a_server_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no FHIR server is named 'EHX'; nearest is 'EHR'"):
        _parse(tmp_path, {"fhir": [EHR]}, destination=[{"name": "x", "fhir": "EHX"}])
    with pytest.raises(ConfigurationError, match="needs either"):
        _parse(tmp_path, {"fhir": [EHR]}, destination=[{"name": "x", "fhir": "EHR", "web": "w"}])
