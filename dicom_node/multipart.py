"""Multipart bodies (RFC 2046 5.1) as they come, without holding a part in memory."""

from collections.abc import Iterator
from email.message import Message
from enum import StrEnum

from dicom_node.errors import NodeError

MAXIMUM_HEADER_BYTES = 16384


class MultipartError(NodeError):
    """The body is not multipart, or larger than allowed."""


class PieceKind(StrEnum):
    """What a piece of a multipart body is."""

    HEADERS = "headers"
    DATA = "data"
    END = "end"


Piece = tuple[PieceKind, bytes]


def read_boundary(content_type: str) -> bytes:
    """The boundary of multipart/related with parts of application/dicom.

    Raises:
        MultipartError: Another type, or no boundary.
    """
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    kind = str(header.get_param("type") or "application/dicom")
    if header.get_content_type() != "multipart/related" or not isinstance(boundary, str):
        raise MultipartError("multipart/related with a boundary is needed")
    if kind != "application/dicom":
        raise MultipartError("Parts must be application/dicom")
    return boundary.encode("ascii", "replace")


class MultipartParser:
    """Feed it chunks; it tells headers, data and end of every part."""

    def __init__(self, boundary: bytes, *, maximum_parts: int) -> None:
        self._delimiter = b"\r\n--" + boundary
        # The first boundary has no line end before it; with this one it is like the others.
        self._buffer = bytearray(b"\r\n")
        self._maximum_parts = maximum_parts
        self._parts = 0
        self._step = self._preamble
        self._is_over = False

    @property
    def is_complete(self) -> bool:
        """Whether the closing boundary was seen."""
        return self._is_over

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """Take the next bytes.

        Raises:
            MultipartError: Headers without end, or too many parts.
        """
        self._buffer += chunk
        while not self._is_over:
            pieces, has_more = self._step()
            yield from pieces
            if not has_more:
                return

    def _preamble(self) -> tuple[list[Piece], bool]:
        at = self._buffer.find(self._delimiter)
        if at < 0:
            del self._buffer[: -len(self._delimiter)]
            return [], False
        del self._buffer[: at + len(self._delimiter)]
        self._step = self._boundary_end
        return [], True

    def _boundary_end(self) -> tuple[list[Piece], bool]:
        if self._buffer[:2] == b"--":
            self._is_over = True
            return [], False
        at = self._buffer.find(b"\r\n")
        if at < 0:
            if len(self._buffer) > MAXIMUM_HEADER_BYTES:
                raise MultipartError("A boundary line does not end")
            return [], False
        del self._buffer[:at]  # the line end stays: a part may have no headers
        self._parts += 1
        if self._parts > self._maximum_parts:
            raise MultipartError(f"More than {self._maximum_parts} parts")
        self._step = self._headers
        return [], True

    def _headers(self) -> tuple[list[Piece], bool]:
        at = self._buffer.find(b"\r\n\r\n")
        if at < 0 or at > MAXIMUM_HEADER_BYTES:
            if at >= 0 or len(self._buffer) > MAXIMUM_HEADER_BYTES:
                raise MultipartError("The headers of a part do not end")
            return [], False
        headers = bytes(self._buffer[2:at])
        del self._buffer[: at + 4]
        self._step = self._body
        return [(PieceKind.HEADERS, headers)], True

    def _body(self) -> tuple[list[Piece], bool]:
        at = self._buffer.find(self._delimiter)
        if at < 0:
            ready = len(self._buffer) - len(self._delimiter) + 1
            if ready <= 0:
                return [], False
            data = bytes(self._buffer[:ready])
            del self._buffer[:ready]
            return [(PieceKind.DATA, data)], False
        data = bytes(self._buffer[:at])
        del self._buffer[: at + len(self._delimiter)]
        self._step = self._boundary_end
        return [(PieceKind.DATA, data), (PieceKind.END, b"")], True
