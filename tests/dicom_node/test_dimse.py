"""Command sets, against pynetdicom's own codec as the oracle."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import decode, encode

from dicom_node.dimse import Command, CommandField, encode_response, parse_command
from dicom_node.errors import ProtocolError
from dicom_node.status import StorageStatus

CT = "1.2.840.10008.5.1.4.1.1.2"


def make_command() -> bytes:
    primitive = C_STORE()
    primitive.MessageID, primitive.Priority = 7, 2
    primitive.AffectedSOPClassUID = UID(CT)
    primitive.AffectedSOPInstanceUID = UID("1.2.3")
    primitive.DataSet = BytesIO(b"\0\0")
    message = C_STORE_RQ()
    message.primitive_to_message(primitive)
    message.command_set.CommandGroupLength = 0
    return encode(message.command_set, is_implicit_vr=True, is_little_endian=True) or b""


def test_a_command_encoded_by_pynetdicom_is_understood() -> None:
    assert parse_command(make_command()) == Command(
        command_field=CommandField.C_STORE_RQ,
        message_id=7,
        has_dataset=True,
        sop_class_uid=CT,
        sop_instance_uid="1.2.3",
        type_id=None,
    )


def test_pynetdicom_understands_our_response() -> None:
    data = encode_response(parse_command(make_command()), StorageStatus.OUT_OF_RESOURCES)
    response = decode(BytesIO(data), is_implicit_vr=True, is_little_endian=True)
    assert response.CommandGroupLength == len(data) - 12
    assert response.CommandField == 0x8001
    assert response.MessageIDBeingRespondedTo == 7
    assert response.Status == 0xA700
    assert response.AffectedSOPInstanceUID == "1.2.3"


@pytest.mark.parametrize("data", [b"", b"\0" * 7, make_command()[:-3], b"\x08\0" + bytes(20)])
def test_bytes_that_are_no_command_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_command(data)


@given(st.binary(max_size=200))
def test_random_bytes_only_ever_raise_the_named_error(data: bytes) -> None:
    try:
        parse_command(data)
    except ProtocolError:
        return
