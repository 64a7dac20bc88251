"""Audit messages: well-formed, to file and syslog, without a patient's name."""

import socket
from pathlib import Path
from xml.etree import ElementTree

from dicom_node.audit import INSTANCES_TRANSFERRED, AuditTrail
from tests.dicom_node.conftest import build_configuration


def test_a_transfer_is_recorded_in_the_file(tmp_path: Path) -> None:
    """PS3.15 A.5.3.7: event, participants, study."""
    path = tmp_path / "audit.xml"
    trail = AuditTrail(build_configuration(tmp_path / "s", audit={"file": str(path)}))
    trail.record(INSTANCES_TRANSFERRED, study_uid="1.2.3", participant="PACS")
    trail.record(INSTANCES_TRANSFERRED, study_uid="1.2.4", participant="PACS", is_success=False)
    first, second = (ElementTree.fromstring(line) for line in path.read_text().splitlines())  # noqa: S314
    event = first.find("EventIdentification/EventID")
    assert event is not None
    assert event.get("csd-code") == "110104"
    users = [u.get("UserID") for u in first.findall("ActiveParticipant")]
    assert users == ["HEPATOCAST", "PACS"]
    found = first.find("ParticipantObjectIdentification")
    assert found is not None
    assert found.get("ParticipantObjectID") == "1.2.3"
    identification = second.find("EventIdentification")
    assert identification is not None
    assert identification.get("EventOutcomeIndicator") == "8"


def test_a_message_reaches_a_syslog_receiver(tmp_path: Path) -> None:
    """RFC 5424: facility 10, severity 5, the message id of PS3.15 A.6."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        port = receiver.getsockname()[1]
        table = {"syslog_host": "127.0.0.1", "syslog_port": port}
        AuditTrail(build_configuration(tmp_path, audit=table)).record(INSTANCES_TRANSFERRED)
        datagram = receiver.recv(65536)
    assert datagram.startswith(b"<85>1 ")
    assert b" DICOM+RFC3881 - \xef\xbb\xbf<AuditMessage>" in datagram


def test_without_a_place_nothing_is_written(tmp_path: Path) -> None:
    AuditTrail(build_configuration(tmp_path / "s")).record(INSTANCES_TRANSFERRED)
    assert list(tmp_path.iterdir()) == []
