"""DIMSE command sets (PS3.7 6.3.1, 9.3, 10.3), implicit VR little endian."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from dicom_node.errors import ProtocolError

MAXIMUM_COMMAND_BYTES = 16384
NO_DATA_SET = 0x0101


class CommandField(IntEnum):
    """Command Field (0000,0100), PS3.7 table E.1-1."""

    C_STORE_RQ = 0x0001
    C_STORE_RSP = 0x8001
    C_ECHO_RQ = 0x0030
    C_ECHO_RSP = 0x8030
    N_EVENT_REPORT_RQ = 0x0100
    N_EVENT_REPORT_RSP = 0x8100
    N_ACTION_RQ = 0x0130
    N_ACTION_RSP = 0x8130
    C_CANCEL_RQ = 0x0FFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One request.

    Attributes:
        type_id: Event Type ID or Action Type ID where the service has one.
    """

    command_field: int
    message_id: int
    has_dataset: bool
    sop_class_uid: str
    sop_instance_uid: str
    type_id: int | None


def parse_command(data: bytes) -> Command:
    """Parse a command set.

    Raises:
        ProtocolError: Not a command set.
    """
    values: dict[int, bytes] = {}
    position = 0
    while position < len(data):
        if position + 8 > len(data):
            raise ProtocolError("Command set is cut off")
        group, element, length = struct.unpack_from("<HHI", data, position)
        position += 8
        if group != 0 or position + length > len(data):
            raise ProtocolError(f"No command element at byte {position - 8}")
        values[element] = data[position : position + length]
        position += length
    number, message, kind = (_us(values, e) for e in (0x0100, 0x0110, 0x0800))
    if number is None or kind is None:
        raise ProtocolError("Command set has no Command Field or Data Set Type")
    type_id = _us(values, 0x1002)
    return Command(
        command_field=number,
        message_id=message or 0,
        has_dataset=kind != NO_DATA_SET,
        sop_class_uid=_uid(values, 0x0002) or _uid(values, 0x0003),
        sop_instance_uid=_uid(values, 0x1000) or _uid(values, 0x1001),
        type_id=type_id if type_id is not None else _us(values, 0x1008),
    )


def _us(values: dict[int, bytes], element: int) -> int | None:
    value = values.get(element, b"")
    return struct.unpack("<H", value)[0] if len(value) == 2 else None


def _uid(values: dict[int, bytes], element: int) -> str:
    return values.get(element, b"").rstrip(b"\0 ").decode("ascii", "replace")


def encode_response(command: Command, status: int) -> bytes:
    """Encode the response to a request, without a dataset."""
    elements = [
        (0x0002, _pad(command.sop_class_uid)),
        (0x0100, struct.pack("<H", command.command_field | 0x8000)),
        (0x0120, struct.pack("<H", command.message_id)),
        (0x0800, struct.pack("<H", NO_DATA_SET)),
        (0x0900, struct.pack("<H", status)),
    ]
    if command.sop_instance_uid:
        elements.append((0x1000, _pad(command.sop_instance_uid)))
    if command.command_field == CommandField.N_EVENT_REPORT_RQ and command.type_id is not None:
        elements.append((0x1002, struct.pack("<H", command.type_id)))
    if command.command_field == CommandField.N_ACTION_RQ and command.type_id is not None:
        elements.append((0x1008, struct.pack("<H", command.type_id)))
    body = b"".join(struct.pack("<HHI", 0, e, len(v)) + v for e, v in elements)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def _pad(uid: str) -> bytes:
    value = uid.encode("ascii", "replace")[:64]
    return value + b"\0" if len(value) % 2 else value
