"""One accepted association: a blocking loop that streams fragments where they belong."""

import logging
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dicom_node.dimse import (
    MAXIMUM_COMMAND_BYTES,
    Command,
    CommandField,
    encode_response,
    parse_command,
)
from dicom_node.errors import ProtocolError
from dicom_node.negotiation import VERIFICATION, Admission, answer_contexts, answer_roles
from dicom_node.reception import ArrivingInstance, Reception
from dicom_node.settings import Listener as ListenerSettings
from dicom_node.status import GeneralStatus, Rejection
from dicom_node.upper_layer import (
    MAXIMUM_ASSOCIATE_BYTES,
    AcceptedContext,
    AssociateRequest,
    PduType,
    encode_abort,
    encode_associate_accept,
    encode_associate_reject,
    encode_data,
    encode_release_response,
    parse_associate_request,
)

log = logging.getLogger(__name__)

BUFFER_BYTES = 1 << 18
MAXIMUM_NOTE_BYTES = 16 << 20

NoteHandler = Callable[[Command, bytes, AcceptedContext, str], int]


class ConnectionClosedError(ProtocolError):
    """The peer closed the connection."""


class ByteReader:
    """Buffered reads from a socket with a deadline or an idle limit."""

    def __init__(self, connection: socket.socket, *, idle_seconds: float) -> None:
        self._socket = connection
        self._idle_seconds = idle_seconds
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._start = self._end = 0
        self._deadline: float | None = None

    def set_deadline(self, seconds: float | None) -> None:
        """Everything read from now on must be here within that time; None: idle limit only."""
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def exactly(self, count: int) -> bytes:
        """Read ``count`` bytes, at most the size of an A-ASSOCIATE-RQ."""
        parts = bytearray()
        self.stream(count, parts.extend)
        return bytes(parts)

    def stream(self, count: int, consume: Callable[[memoryview], object]) -> None:
        """Hand ``count`` bytes over piece by piece, as they arrive."""
        while count:
            if self._start == self._end:
                self._fill()
            piece = min(count, self._end - self._start)
            consume(self._buffer[self._start : self._start + piece])
            self._start += piece
            count -= piece

    def _fill(self) -> None:
        if self._deadline is None:
            self._socket.settimeout(self._idle_seconds)
        else:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
        received = self._socket.recv_into(self._buffer)
        if not received:
            raise ConnectionClosedError("Connection closed by the peer")
        if hasattr(socket, "TCP_QUICKACK"):
            # A sender with Nagle's algorithm on waits 40 ms for this acknowledgement.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self._start, self._end = 0, received


@dataclass(slots=True)
class Message:
    """The DIMSE message that is arriving."""

    command_bytes: bytearray = field(default_factory=bytearray)
    command: Command | None = None
    context: AcceptedContext | None = None
    instance: ArrivingInstance | None = None
    note: bytearray = field(default_factory=bytearray)


class AcceptedAssociation:
    """Runs one connection from the TLS handshake to its end."""

    def __init__(
        self,
        connection: socket.socket,
        address: str,
        admission: Admission,
        reception: Reception,
        handle_note: NoteHandler,
    ) -> None:
        self._socket = connection
        self._address = address
        self._admission = admission
        self._reception = reception
        self._handle_note = handle_note
        self._contexts: dict[int, AcceptedContext] = {}
        self._request = AssociateRequest("", "", 0)
        self._message = Message()
        self._reader = ByteReader(connection, idle_seconds=0)

    def negotiate(self, settings: ListenerSettings, has_room: Callable[[], bool]) -> bool:
        """Read the proposal and answer it; True when the association stands."""
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.settimeout(settings.association_seconds)
            self._socket.do_handshake()
        self._reader = ByteReader(self._socket, idle_seconds=settings.idle_seconds)
        self._reader.set_deadline(settings.association_seconds)
        kind, length = self._read_pdu_header()
        if kind != PduType.ASSOCIATE_RQ or length > MAXIMUM_ASSOCIATE_BYTES:
            raise ProtocolError(f"Expected A-ASSOCIATE-RQ, got PDU type {kind}, {length} bytes")
        self._request = parse_associate_request(self._reader.exactly(length))
        rejection = self._admission.find_rejection(self._request, self._address)
        if rejection is None and not has_room():
            rejection = Rejection.LOCAL_LIMIT_EXCEEDED
        if rejection is not None:
            log.warning("Rejected %s: %s", self._address, rejection.name.lower())
            self._send(encode_associate_reject(rejection))
            return False
        answers = answer_contexts(self._request)
        self._contexts = {a.context_id: a for a in answers if a.result == 0}
        roles = answer_roles(self._request)
        self._send(
            encode_associate_accept(self._request, answers, roles, settings.maximum_pdu_bytes)
        )
        self._reader.set_deadline(None)
        return True

    def serve(self) -> None:
        """Take messages until the peer releases.

        Raises:
            ProtocolError, OSError: The association ended otherwise.
        """
        while True:
            kind, length = self._read_pdu_header()
            if kind == PduType.P_DATA_TF:
                self._read_fragments(length)
            elif kind == PduType.RELEASE_RQ and length == 4:
                self._reader.exactly(4)
                self._send(encode_release_response())
                return
            elif kind == PduType.ABORT:
                return
            else:
                raise ProtocolError(f"PDU type {kind} is not expected here")

    def abort(self) -> None:
        """Tell the peer, as far as it still listens."""
        try:
            self._send(encode_abort())
        except OSError:
            log.debug("%s was gone before the abort", self._address)

    def close(self) -> None:
        """Forget what was half received and close the socket."""
        if self._message.instance is not None:
            self._message.instance.abandon()
        self._socket.close()

    def _read_pdu_header(self) -> tuple[int, int]:
        kind, length = struct.unpack(">BxI", self._reader.exactly(6))
        return kind, length

    def _send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def _read_fragments(self, remaining: int) -> None:
        """Read the presentation data values of one P-DATA-TF (PS3.8 9.3.5)."""
        if remaining < 6:
            raise ProtocolError("P-DATA-TF without a presentation data value")
        while remaining:
            if remaining < 6:
                raise ProtocolError("Presentation data value is cut off")
            length, context_id, flags = struct.unpack(">IBB", self._reader.exactly(6))
            if length < 2 or length + 4 > remaining:
                raise ProtocolError("Presentation data value does not fit its PDU")
            context = self._contexts.get(context_id)
            if context is None:
                raise ProtocolError(f"Presentation context {context_id} was not accepted")
            self._read_fragment(context, flags, length - 2)
            remaining -= length + 4

    def _read_fragment(self, context: AcceptedContext, flags: int, length: int) -> None:
        message = self._message
        if flags & 1:
            if message.command is not None:
                raise ProtocolError("Command within a dataset")
            if len(message.command_bytes) + length > MAXIMUM_COMMAND_BYTES:
                raise ProtocolError("Command set is too long")
            self._reader.stream(length, message.command_bytes.extend)
            if flags & 2:
                self._begin(context)
            return
        if message.command is None or message.context is not context:
            raise ProtocolError("Dataset without its command")
        if message.instance is not None:
            self._reader.stream(length, message.instance.write)
        else:
            if len(message.note) + length > MAXIMUM_NOTE_BYTES:
                raise ProtocolError("Dataset is too long for this service")
            self._reader.stream(length, message.note.extend)
        if flags & 2:
            self._finish()

    def _begin(self, context: AcceptedContext) -> None:
        message = self._message
        message.context = context
        message.command = command = parse_command(bytes(message.command_bytes))
        if command.command_field == CommandField.C_STORE_RQ and command.has_dataset:
            message.instance = self._reception.begin(
                command.sop_class_uid,
                command.sop_instance_uid,
                context.transfer_syntax,
                self._request.calling_title,
                self._request.called_title,
            )
        if not command.has_dataset:
            self._finish()

    def _finish(self) -> None:
        message, self._message = self._message, Message()
        command, context = message.command, message.context
        if command is None or context is None:
            raise ProtocolError("Message without a command")
        if command.command_field == CommandField.C_CANCEL_RQ:
            return
        response = encode_response(command, self._perform(message, command, context))
        self._send(encode_data(context.context_id, response, b"", self._request.maximum_pdu_bytes))

    def _perform(self, message: Message, command: Command, context: AcceptedContext) -> int:
        if message.instance is not None:
            return message.instance.finish()
        if command.command_field == CommandField.C_ECHO_RQ:
            is_echo = context.abstract_syntax == VERIFICATION
            return GeneralStatus.SUCCESS if is_echo else GeneralStatus.UNRECOGNIZED_OPERATION
        if command.command_field in (CommandField.N_ACTION_RQ, CommandField.N_EVENT_REPORT_RQ):
            calling = self._request.calling_title
            return self._handle_note(command, bytes(message.note), context, calling)
        return GeneralStatus.UNRECOGNIZED_OPERATION
