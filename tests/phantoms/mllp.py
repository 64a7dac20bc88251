"""A running MLLP listener and a bare-bones MLLP peer."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

from dicom_node.clinical_source.hl7_listener import END, START, MllpLimits, MllpListener
from dicom_node.clinical_source.hl7_store import Hl7Store


@contextlib.contextmanager
def run_listener(store: Hl7Store, limits: MllpLimits | None = None) -> Iterator[int]:
    """Run a listener on a free loopback port in its own thread; yields the port."""
    loop = asyncio.new_event_loop()
    listener = MllpListener(store, limits)
    port = loop.run_until_complete(listener.start("127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


class Peer:
    """A raw connection to a listener."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def exchange(self, message: bytes) -> bytes:
        """Send one framed message and return the answer without framing."""
        self.write(START + message + END)
        return self.answer()

    def answer(self) -> bytes:
        """The next answer without framing; empty when the listener closes."""
        data = b""
        while not data.endswith(END):
            part = self._socket.recv(65536)
            if not part:
                break
            data += part
        return data.removesuffix(END).removeprefix(START)
