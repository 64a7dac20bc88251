"""Settings become sources."""

import datetime
from pathlib import Path

import pytest

from dicom_node.clinical_source.opening import mllp_limits, open_fhir_source
from dicom_node.clinical_source.settings import (
    Clinical,
    FhirServer,
    Hl7Feed,
    Issuer,
    SiteCode,
    SmartClient,
)
from dicom_node.errors import ConfigurationError

BASE = "https://ehr.test/fhir"
SMART = SmartClient(**{"token_url": "https://login.test"})


def test_settings_reach_the_source(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret-token\n")
    server = FhirServer(
        name="EHR",
        base_url=BASE,
        issuers=(Issuer(name="HOSP_A", system="urn:a"),),
        codes=(SiteCode(code="urn:lab|AFPQ", analyte="afp"),),
        token_file=token,
        ask_for_codes=False,
    )
    source = open_fhir_source(server, Clinical(time_zone="Asia/Tokyo", wait_seconds=7.0))
    assert source.name == "EHR"
    assert source.issuers == {"HOSP_A": "urn:a"}
    assert source.codes == {"urn:lab|AFPQ": "afp"}
    assert source.ask_for_codes is False
    assert source.zone is not None
    assert source.zone.utcoffset(datetime.datetime(2024, 1, 1)) == datetime.timedelta(hours=9)
    assert "secret" not in repr(source)
    source.client.close()


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"smart": SMART}, "key_file is missing"),
        ({"authorities": Path("missing.pem")}, "TLS files"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault_by_name(more: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        open_fhir_source(FhirServer(base_url=BASE, **more))  # type: ignore[arg-type]


def test_nothing_is_asked_and_nothing_listens_by_default() -> None:
    assert Clinical().is_used is False
    assert Hl7Feed().port == 0
    assert mllp_limits(Hl7Feed()).message_bytes == 32 << 20
