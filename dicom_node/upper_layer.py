"""DICOM upper layer PDUs (PS3.8 chapter 9.3) for the accepting side.

Own code, because the store path needs what a general library does not give: no PDU is
ever held in memory (fragments are streamed to disk), every length is checked before
anything is allocated, and one blocking thread per association needs no polling.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from dicom_node.errors import ProtocolError
from dicom_node.status import Rejection

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
IMPLEMENTATION_CLASS_UID = "2.25.186327904871561943105470861526713980413"
IMPLEMENTATION_VERSION_NAME = "HEPATOCAST_010"
MAXIMUM_ASSOCIATE_BYTES = 1 << 18
MAXIMUM_CONTEXTS = 128


class PduType(IntEnum):
    """PDU types (PS3.8 table 9-11 and following)."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    P_DATA_TF = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


@dataclass(frozen=True, slots=True)
class ProposedContext:
    """One presentation context of an A-ASSOCIATE-RQ (PS3.8 9.3.2.2)."""

    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AcceptedContext:
    """Answer to one proposed context; result 0 accepts (PS3.8 table 9-18)."""

    context_id: int
    result: int
    abstract_syntax: str
    transfer_syntax: str


@dataclass(slots=True)
class AssociateRequest:
    """What a peer proposes."""

    called_title: str
    calling_title: str
    protocol_version: int
    application_context: str = ""
    contexts: list[ProposedContext] = field(default_factory=list)
    maximum_pdu_bytes: int = 0
    roles: dict[str, tuple[int, int]] = field(default_factory=dict)


def parse_associate_request(body: bytes) -> AssociateRequest:
    """Parse an A-ASSOCIATE-RQ behind its 6-byte header (PS3.8 9.3.2).

    Raises:
        ProtocolError: Lengths or identifiers that are not the standard's.
    """
    if len(body) < 68:
        raise ProtocolError(f"A-ASSOCIATE-RQ needs 68 bytes, got {len(body)}")
    request = AssociateRequest(
        called_title=_title(body[4:20]),
        calling_title=_title(body[20:36]),
        protocol_version=struct.unpack_from(">H", body)[0],
    )
    for kind, value in _items(body[68:]):
        if kind == 0x10:
            request.application_context = _ascii(value)
        elif kind == 0x20:
            request.contexts.append(_parse_context(value))
        elif kind == 0x50:
            _parse_user_information(value, request)
    identifiers = [c.context_id for c in request.contexts]
    if len(set(identifiers)) != len(identifiers) or any(i % 2 == 0 for i in identifiers):
        raise ProtocolError("Presentation context IDs must be odd and unique")
    if len(identifiers) > MAXIMUM_CONTEXTS:
        raise ProtocolError(f"At most {MAXIMUM_CONTEXTS} contexts, got {len(identifiers)}")
    return request


def _title(field_bytes: bytes) -> str:
    return field_bytes.decode("ascii", "replace").strip(" \0")


def _ascii(value: bytes) -> str:
    return value.rstrip(b"\0 ").decode("ascii", "replace")


def _items(data: bytes) -> list[tuple[int, bytes]]:
    items = []
    position = 0
    while position < len(data):
        if position + 4 > len(data):
            raise ProtocolError("Item header is cut off")
        kind, length = struct.unpack_from(">BxH", data, position)
        position += 4
        if position + length > len(data):
            raise ProtocolError(f"Item 0x{kind:02X} is longer than its PDU")
        items.append((kind, data[position : position + length]))
        position += length
    return items


def _parse_context(value: bytes) -> ProposedContext:
    if len(value) < 4:
        raise ProtocolError("Presentation context item is cut off")
    abstract, transfer = "", []
    for kind, text in _items(value[4:]):
        if kind == 0x30:
            abstract = _ascii(text)
        elif kind == 0x40:
            transfer.append(_ascii(text))
    return ProposedContext(value[0], abstract, tuple(transfer))


def _parse_user_information(value: bytes, request: AssociateRequest) -> None:
    for kind, text in _items(value):
        if kind == 0x51 and len(text) == 4:
            request.maximum_pdu_bytes = struct.unpack(">I", text)[0]
        elif kind == 0x54 and len(text) >= 4:
            size = struct.unpack_from(">H", text)[0]
            if len(text) == 4 + size:
                request.roles[_ascii(text[2 : 2 + size])] = (text[-2], text[-1])


def encode_associate_accept(
    request: AssociateRequest,
    contexts: list[AcceptedContext],
    roles: dict[str, tuple[int, int]],
    maximum_pdu_bytes: int,
) -> bytes:
    """Encode an A-ASSOCIATE-AC (PS3.8 9.3.3)."""
    answers = b"".join(
        _item(
            0x21,
            struct.pack(">BBBB", c.context_id, 0, c.result, 0)
            + _item(0x40, c.transfer_syntax.encode("ascii")),
        )
        for c in contexts
    )
    user = _item(0x51, struct.pack(">I", maximum_pdu_bytes))
    user += _item(0x52, IMPLEMENTATION_CLASS_UID.encode())
    for uid, (scu, scp) in roles.items():
        text = uid.encode("ascii")
        user += _item(0x54, struct.pack(">H", len(text)) + text + bytes((scu, scp)))
    user += _item(0x55, IMPLEMENTATION_VERSION_NAME.encode())
    body = (
        struct.pack(">HH", 1, 0)
        + request.called_title.encode("ascii", "replace").ljust(16)[:16]
        + request.calling_title.encode("ascii", "replace").ljust(16)[:16]
        + bytes(32)
        + _item(0x10, APPLICATION_CONTEXT.encode())
        + answers
        + _item(0x50, user)
    )
    return struct.pack(">BBI", PduType.ASSOCIATE_AC, 0, len(body)) + body


def _item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(value)) + value


def encode_associate_reject(rejection: Rejection) -> bytes:
    """Encode an A-ASSOCIATE-RJ (PS3.8 9.3.4)."""
    return struct.pack(">BBIBBBB", PduType.ASSOCIATE_RJ, 0, 4, 0, *rejection.value)


def encode_release_response() -> bytes:
    """Encode an A-RELEASE-RP (PS3.8 9.3.7)."""
    return struct.pack(">BBII", PduType.RELEASE_RP, 0, 4, 0)


def encode_abort(*, reason: int = 0) -> bytes:
    """Encode an A-ABORT of the service provider (PS3.8 9.3.8)."""
    return struct.pack(">BBIBBBB", PduType.ABORT, 0, 4, 0, 0, 2, reason)


def encode_data(context_id: int, command: bytes, dataset: bytes, maximum: int) -> bytes:
    """Encode one DIMSE message as P-DATA-TF PDUs no longer than the peer's maximum."""
    limit = max((maximum or 16384) - 6, 8)
    pdus = []
    for content, flag in ((command, 1), (dataset, 0)):
        for start in range(0, len(content), limit):
            fragment = content[start : start + limit]
            last = 2 if start + limit >= len(content) else 0
            pdus.append(
                struct.pack(">BBI", PduType.P_DATA_TF, 0, len(fragment) + 6)
                + struct.pack(">IBB", len(fragment) + 2, context_id, flag | last)
                + fragment
            )
    return b"".join(pdus)
