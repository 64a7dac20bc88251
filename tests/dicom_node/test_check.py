"""`check`: what a working configuration can still do wrong."""

from pathlib import Path
from typing import Any

import pytest

from dicom_node.check import check_certificate, check_node
from tests.dicom_node.certificates import make_authority
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.testbed import free_port

TOKEN = "check-token-000000"  # noqa: S105


def fault_of(tmp_path: Path, subject: str, **dashboard: Any) -> str:  # noqa: ANN401
    configuration = build_configuration(
        tmp_path / "state",
        dashboard={"token": TOKEN, **dashboard},
        listener={"minimum_free_bytes": 0, "port": free_port()},
        analysis={"command": ["true"], "warm_command": ["true"], "self_test": []},
    )
    faults = {finding.subject: finding.fault for finding in check_node(configuration)}
    return faults[subject]


@pytest.mark.parametrize(("address", "is_fault"), [("0.0.0.0", True), ("127.0.0.1", False)])  # noqa: S104
def test_a_dashboard_in_the_clear_on_the_network_is_a_fault(
    tmp_path: Path, address: str, is_fault: bool
) -> None:
    assert ("in the clear" in fault_of(tmp_path, "dashboard", address=address)) is is_fault


def test_a_dashboard_with_tls_may_be_on_the_network(tmp_path: Path) -> None:
    certificate, key = make_authority(tmp_path / "ca", hours=24 * 365).issue("node")
    settings = {"address": "0.0.0.0", "certificate": str(certificate), "key": str(key)}  # noqa: S104
    assert fault_of(tmp_path, "dashboard", **settings) == ""
    assert fault_of(tmp_path, "certificate of the dashboard", **settings) == ""


def test_certificates_are_told_by_their_days(tmp_path: Path) -> None:
    for hours, told in ((24 * 365, ""), (24 * 3 + 1, "expires in 3 days"), (-0.01, "expired on")):
        folder = tmp_path / str(hours)
        certificate, _ = make_authority(folder, hours=hours).issue("node")
        assert told in check_certificate(certificate)
        assert bool(told) is bool(check_certificate(certificate))
    (tmp_path / "no.pem").write_text("hello")
    assert "cannot be read" in check_certificate(tmp_path / "no.pem")
    assert "cannot be read" in check_certificate(tmp_path / "missing.pem")
