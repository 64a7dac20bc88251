"""MLLP listener: receive HL7 v2 messages, store them, then acknowledge.

MLLP frames a message as <VT> message <FS><CR> (HL7 v2.5.1 Transport, MLLP release 1). A message
is acknowledged with AA only after it is on disk; AE says the message cannot be used, AR that it
is not accepted now and may be sent again.
"""

import asyncio
import logging
import sqlite3
import ssl
from dataclasses import dataclass

from dicom_node.clinical_source.hl7_store import Hl7Store, check_message
from engine.clinical.hl7_reading import acknowledge
from engine.errors import ClinicalDataError

log = logging.getLogger(__name__)

START = b"\x0b"
END = b"\x1c\r"


@dataclass(frozen=True, slots=True, kw_only=True)
class MllpLimits:
    """Bounds of the listener.

    Attributes:
        message_bytes: Largest message; a larger one is refused and the connection closed.
        idle_s: Seconds a connection may stay silent.
        connections: Open connections; more are closed at once.
        senders: Addresses that may connect; empty for any.
    """

    message_bytes: int = 32 << 20
    idle_s: float = 600.0
    connections: int = 64
    senders: frozenset[str] = frozenset()


class MllpListener:
    """An HL7 v2 receiver on one port.

    Args:
        store: Where messages go.
        limits: Bounds.
    """

    def __init__(self, store: Hl7Store, limits: MllpLimits | None = None) -> None:
        self._store = store
        self._limits = limits or MllpLimits()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen, over TLS when a context is given; returns the port (a free one for 0)."""
        self._server = await asyncio.start_server(
            self._connected, host, port, limit=self._limits.message_bytes, ssl=tls
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and close every connection; what was acknowledged is stored."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        peer = (writer.get_extra_info("peername") or ("",))[0]
        if self._limits.senders and peer not in self._limits.senders:
            log.warning("MLLP connection refused: %s is no configured sender", peer)
            writer.close()
            return
        if task is None or len(self._open) >= self._limits.connections:
            log.warning("MLLP connection refused: %d are open", len(self._open))
            writer.close()
            return
        self._open.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            log.info("MLLP connection ended by the peer or by stopping")
        finally:
            self._open.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer message after message until the peer leaves or breaks the framing."""
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_s):
                    framed = await reader.readuntil(END)
            except asyncio.IncompleteReadError as error:
                if error.partial.strip(START):
                    log.warning("MLLP message without an end: %d bytes lost", len(error.partial))
                return
            except TimeoutError:
                log.info("MLLP connection silent for %g s", self._limits.idle_s)
                return
            except asyncio.LimitOverrunError:
                await self._answer(writer, acknowledge(b"", "AR", "message too large"))
                return
            before, start, content = framed.removesuffix(END).rpartition(START)
            if before.strip() or not start:
                await self._answer(writer, acknowledge(content, "AR", "no MLLP start block"))
                return
            await self._answer(writer, await asyncio.to_thread(self._receive, content))

    def _receive(self, content: bytes) -> bytes:
        """Store one message and say what became of it."""
        try:
            message = check_message(content)
        except ClinicalDataError as error:
            log.warning("HL7 message refused: %s", error)
            return acknowledge(content, "AE", str(error))
        try:
            new = self._store.put(content, message)
        except sqlite3.Error:
            log.exception("HL7 message %s cannot be stored", message.control_id)
            return acknowledge(content, "AR", "cannot be stored now")
        log.info("HL7 %s %s %s", message.kind, message.control_id, "stored" if new else "repeated")
        return acknowledge(content, "AA")

    async def _answer(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(START + answer + END)
        await writer.drain()
