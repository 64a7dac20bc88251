"""A DICOMweb server on loopback that answers as the test says; HTTP or mutual TLS."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

from pydicom import dcmread

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Seen:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False, default=b"")

    @property
    def uids(self) -> list[str]:
        """SOP Instance UIDs of a store request's parts."""
        boundary = self.headers["content-type"].rpartition("boundary=")[2].encode()
        found = []
        for part in self.body.split(b"--" + boundary)[1:-1]:
            content = part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
            found.append(str(dcmread(BytesIO(content)).SOPInstanceUID))
        return found


Reply = Callable[[Seen], Answer | None]


def dicom_json(value: Any, status: int = 200, **headers: str) -> Answer:  # noqa: ANN401
    """An answer in DICOM JSON."""
    content = json.dumps(value).encode()
    return status, {"Content-Type": "application/dicom+json", **headers}, content


def reference(uid: str, tag: str, code: int) -> dict[str, Any]:
    """One item of a store response."""
    item: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [uid]}}
    if code:
        item[tag] = {"vr": "US", "Value": [code]}
    return item


def store_answer(
    stored: list[str], failed: dict[str, int] | None = None, status: int = 200,
    warnings: dict[str, int] | None = None,
) -> Answer:  # fmt: skip
    """A store response (PS3.18 10.5.3)."""
    value: dict[str, Any] = {}
    if stored:
        items = [reference(u, "00081196", (warnings or {}).get(u, 0)) for u in stored]
        value["00081199"] = {"vr": "SQ", "Value": items}
    if failed:
        items = [reference(u, "00081197", code) for u, code in failed.items()]
        value["00081198"] = {"vr": "SQ", "Value": items}
    return dicom_json(value, status)


@contextmanager
def web_server(
    reply: Reply, *, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[Seen]]]:
    """Serve; its base address and the requests so far. None as a reply cuts the connection."""
    requests: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _read_body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _answer(self) -> None:
            headers = {k.lower(): v for k, v in self.headers.items()}
            body = self._read_body() if self.command == "POST" else b""
            requests.append(Seen(self.command, self.path, headers, body))
            answer = reply(requests[-1])
            if answer is None:
                self.close_connection = True
                self.connection.close()
                return
            status, fields, content = answer
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        scheme = "https" if tls is not None else "http"
        yield f"{scheme}://127.0.0.1:{server.server_port}/dicom-web", requests
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
