"""A-ASSOCIATE items and PDUs, against pynetdicom's own codec as the oracle."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, P_DATA_TF
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
)
from pynetdicom.presentation import build_context

from dicom_node.errors import ProtocolError
from dicom_node.status import Rejection
from dicom_node.upper_layer import (
    AcceptedContext,
    encode_associate_accept,
    encode_associate_reject,
    encode_data,
    parse_associate_request,
)

CT, EXPLICIT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"
COMMITMENT = "1.2.840.10008.1.20.1"


def make_request() -> bytes:
    primitive = A_ASSOCIATE()
    primitive.application_context_name = "1.2.840.10008.3.1.1.1"
    primitive.calling_ae_title, primitive.called_ae_title = "CALLER", "CALLED"
    context = build_context(CT, [EXPLICIT, "1.2.840.10008.1.2"])
    context.context_id = 3
    primitive.presentation_context_definition_list = [context]
    length = MaximumLengthNotification()
    length.maximum_length_received = 65536
    name = ImplementationClassUIDNotification()
    name.implementation_class_uid = "1.2.3"  # type: ignore[assignment]
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid, role.scu_role, role.scp_role = COMMITMENT, False, True  # type: ignore[assignment]
    primitive.user_information = [length, name, role]
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(primitive)
    return pdu.encode()[6:]


def test_a_request_encoded_by_pynetdicom_is_understood() -> None:
    request = parse_associate_request(make_request())
    assert (request.calling_title, request.called_title) == ("CALLER", "CALLED")
    assert request.contexts[0].abstract_syntax == CT
    assert request.contexts[0].transfer_syntaxes == (EXPLICIT, "1.2.840.10008.1.2")
    assert request.maximum_pdu_bytes == 65536
    assert request.roles == {COMMITMENT: (0, 1)}


def test_pynetdicom_understands_our_acceptance() -> None:
    request = parse_associate_request(make_request())
    answer = [AcceptedContext(3, 0, CT, EXPLICIT)]
    data = encode_associate_accept(request, answer, {COMMITMENT: (0, 1)}, 131072)
    pdu = A_ASSOCIATE_AC()
    pdu.decode(data)
    primitive = pdu.to_primitive()
    (context,) = primitive.presentation_context_definition_results_list
    assert (context.context_id, context.result) == (3, 0)
    assert context.transfer_syntax == [EXPLICIT]
    assert primitive.maximum_length_received == 131072


def test_pynetdicom_understands_our_rejection() -> None:
    pdu = A_ASSOCIATE_RJ()
    pdu.decode(encode_associate_reject(Rejection.CALLED_TITLE_NOT_RECOGNIZED))
    assert pdu.reason_str == "Called AE title not recognised"


@pytest.mark.parametrize("maximum", [0, 7, 14, 100, 65536])
def test_messages_are_cut_to_the_peers_maximum(maximum: int) -> None:
    """Every PDU fits; together the fragments are the message."""
    data, whole, lengths = encode_data(1, b"c" * 50, b"d" * 300, maximum), b"", []
    while data:
        length = struct.unpack(">I", data[2:6])[0]
        pdu = P_DATA_TF()
        pdu.decode(data[: 6 + length])
        whole += pdu.presentation_data_value_items[0].presentation_data_value[1:]
        lengths.append(length)
        data = data[6 + length :]
    assert whole == b"c" * 50 + b"d" * 300
    assert max(lengths) <= max(maximum or 16384, 14)


@pytest.mark.parametrize("identifiers", [(2,), (1, 1)])
def test_context_ids_must_be_odd_and_unique(identifiers: tuple[int, ...]) -> None:
    """PS3.8 9.3.2.2."""
    items = b""
    for number in identifiers:
        item = struct.pack(">BBBB", number, 0, 0, 0)
        items += struct.pack(">BBH", 0x20, 0, len(item)) + item
    with pytest.raises(ProtocolError, match="odd and unique"):
        parse_associate_request(struct.pack(">HH", 1, 0) + bytes(64) + items)


@given(st.data())
def test_a_damaged_request_only_ever_raises_the_named_error(data: st.DataObject) -> None:
    good = bytearray(make_request())
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    try:
        parse_associate_request(bytes(good[:cut]))
    except ProtocolError:
        return
