"""Objects by C-STORE over one association (PS3.4 B); needs the extra [send]."""

import io
import logging
import socket
from collections.abc import Iterator, Sequence
from types import ModuleType

import pydicom
from pydicom.uid import ExplicitVRLittleEndian

from engine.cli.destinations import Destination, Sent
from engine.errors import InstallationError

WARNINGS = {0xB000: "coerced data elements", 0xB006: "elements discarded", 0xB007: "other class"}
FAILURES = {
    0xA700: "out of resources",
    0xA900: "dataset does not match SOP class",
    0xC000: "cannot understand",
    0x0122: "SOP class not supported",
    0x0124: "not authorized",
}


def send_by_dimse(destination: Destination, objects: Sequence[tuple[str, bytes]]) -> Iterator[Sent]:
    """Store each object; one answer per object, in order.

    Args:
        destination: The peer.
        objects: SOP Class UID and file of each.

    Raises:
        InstallationError: pynetdicom is not installed.
    """
    if refused := _unreachable(destination):
        yield from (Sent(accepted=False, answer=refused) for _ in objects)
        return
    peer = _pynetdicom().AE(ae_title=destination.calling)
    peer.acse_timeout = peer.dimse_timeout = destination.timeout_seconds
    peer.network_timeout = peer.connection_timeout = destination.timeout_seconds
    for sop_class_uid in sorted({uid for uid, _ in objects}):
        peer.add_requested_context(sop_class_uid, ExplicitVRLittleEndian)
    association = peer.associate(destination.host, destination.port, ae_title=destination.called)
    if not association.is_established:
        reason = "association rejected" if association.is_rejected else "no connection"
        yield from (Sent(accepted=False, answer=reason) for _ in objects)
        return
    try:
        for sop_class_uid, content in objects:
            yield _store(association, sop_class_uid, content)
    finally:
        if association.is_established:
            association.release()


def _unreachable(destination: Destination) -> str:
    """Why nobody listens there; empty when somebody does.

    Asked first because pynetdicom says no more than "no association", and leaves its socket open.
    """
    try:
        place = (destination.host, destination.port)
        socket.create_connection(place, destination.timeout_seconds).close()
    except OSError as error:
        return f"no connection: {error.strerror or error}"
    return ""


def _store(association: object, sop_class_uid: str, content: bytes) -> Sent:
    accepted = {str(c.abstract_syntax) for c in association.accepted_contexts}  # type: ignore[attr-defined]
    if sop_class_uid not in accepted:
        return Sent(accepted=False, answer="SOP class not accepted by the peer")
    if not association.is_established:  # type: ignore[attr-defined]
        return Sent(accepted=False, answer="association ended")
    answer = association.send_c_store(pydicom.dcmread(io.BytesIO(content)))  # type: ignore[attr-defined]
    if not answer or "Status" not in answer:
        return Sent(accepted=False, answer="no answer")
    status = int(answer.Status)
    if status == 0:
        return Sent(accepted=True, answer="success")
    if status in WARNINGS:
        return Sent(accepted=True, answer=f"warning 0x{status:04X}: {WARNINGS[status]}")
    name = FAILURES.get(status) or FAILURES.get(status & 0xFF00) or "failure"
    if status >> 12 == 0xC:
        name = FAILURES[0xC000]
    return Sent(accepted=False, answer=f"0x{status:04X}: {name}")


def _pynetdicom() -> ModuleType:
    try:
        import pynetdicom  # noqa: PLC0415 - only where its extra is installed
    except ModuleNotFoundError as missing:
        raise InstallationError(
            "C-STORE needs pynetdicom; install it with: pip install 'hepatocast[send]'"
        ) from missing
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # answers are told per object
    module: ModuleType = pynetdicom
    return module
