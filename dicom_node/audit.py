"""ATNA audit messages (PS3.15 A.5, RFC 3881): who received, sent, looked at what.

Written to a file (one XML document per line, synced) and sent to a syslog receiver
(RFC 5424 over UDP). Audit messages identify studies by UID; patients are not named.
"""

import logging
import os
import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from dicom_node.settings import Configuration

log = logging.getLogger(__name__)

# Facility 10 (security), severity 5 (notice), RFC 5424 6.2.1; MSGID of PS3.15 A.6.
SYSLOG_PRIORITY = 10 * 8 + 5
MESSAGE_ID = "DICOM+RFC3881"
MAXIMUM_DATAGRAM = 32768


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """A kind of event: DCM code and meaning (PS3.16 CID 400), action (PS3.15 A.5.2.1)."""

    code: str
    meaning: str
    action: str
    type_code: str = ""
    type_meaning: str = ""


APPLICATION_ACTIVITY = AuditEvent("110100", "Application Activity", "E")
INSTANCES_TRANSFERRED = AuditEvent("110104", "DICOM Instances Transferred", "C")
INSTANCES_ACCESSED = AuditEvent("110103", "DICOM Instances Accessed", "R")
QUERY = AuditEvent("110112", "Query", "E")
STUDY_DELETED = AuditEvent("110105", "DICOM Study Deleted", "D")
USER_AUTHENTICATION = AuditEvent("110114", "User Authentication", "E")
SECURITY_ALERT = AuditEvent("110113", "Security Alert", "E")
# What is used on patients' images has been changed (PS3.15 A.5.3.11, CID 403).
SOFTWARE_CONFIGURATION = AuditEvent(
    "110113", "Security Alert", "E", "110131", "Software Configuration"
)


class AuditTrail:
    """Writes audit messages; a receiver that is away never stops the node."""

    def __init__(self, configuration: Configuration) -> None:
        self._settings = configuration.audit
        self._source = configuration.ae_title
        self._host = configuration.host_id
        self._lock = threading.Lock()

    def record(
        self,
        event: AuditEvent,
        *,
        study_uid: str = "",
        participant: str = "",
        is_success: bool = True,
    ) -> None:
        """Record one event.

        Args:
            study_uid: Study the event is about.
            participant: AE title or network address of the other side.
            is_success: Event Outcome Indicator 0, otherwise 8 (serious failure).
        """
        if self._settings.file is None and not self._settings.syslog_host:
            return
        message = self._build(event, study_uid, participant, is_success=is_success)
        try:
            self._write(message)
            self._send(message)
        except OSError:
            log.exception("An audit message could not be kept")

    def _build(
        self, event: AuditEvent, study_uid: str, participant: str, *, is_success: bool
    ) -> bytes:
        root = Element("AuditMessage")
        identification = SubElement(
            root,
            "EventIdentification",
            EventActionCode=event.action,
            EventDateTime=datetime.now(UTC).isoformat(timespec="milliseconds"),
            EventOutcomeIndicator="0" if is_success else "8",
        )
        _add_code(identification, "EventID", event.code, event.meaning)
        if event.type_code:
            _add_code(identification, "EventTypeCode", event.type_code, event.type_meaning)
        SubElement(root, "ActiveParticipant", UserID=self._source, UserIsRequestor="false")
        if participant:
            SubElement(root, "ActiveParticipant", UserID=participant, UserIsRequestor="true")
        SubElement(root, "AuditSourceIdentification", AuditSourceID=f"{self._source}@{self._host}")
        if study_uid:
            found = SubElement(
                root,
                "ParticipantObjectIdentification",
                ParticipantObjectID=study_uid,
                ParticipantObjectTypeCode="2",
                ParticipantObjectTypeCodeRole="3",
            )
            _add_code(found, "ParticipantObjectIDTypeCode", "110180", "Study Instance UID")
        return bytes(tostring(root, encoding="utf-8"))

    def _write(self, message: bytes) -> None:
        if self._settings.file is None:
            return
        with self._lock, self._settings.file.open("ab") as file:
            file.write(message.replace(b"\n", b"") + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _send(self, message: bytes) -> None:
        if not self._settings.syslog_host:
            return
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        header = f"<{SYSLOG_PRIORITY}>1 {moment} {self._host} hepatocast-node - {MESSAGE_ID} - "
        datagram = (header.encode() + b"\xef\xbb\xbf" + message)[:MAXIMUM_DATAGRAM]
        address = (self._settings.syslog_host, self._settings.syslog_port)
        family, kind, *_, place = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as sender:
            sender.sendto(datagram, place)


def _add_code(parent: Element, name: str, code: str, meaning: str) -> None:
    """A coded value of CID 400 and its like (PS3.15 A.5.1)."""
    values = {"csd-code": code, "codeSystemName": "DCM", "originalText": meaning}
    SubElement(parent, name, values)
