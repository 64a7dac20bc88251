"""The node as a user agent of DICOMweb servers (PS3.18): STOW-RS, QIDO-RS, WADO-RS.

Only the configured base address is contacted: no redirect is followed and no address out of
an answer is used. Answers are bounded before they are parsed.
"""

import base64
import json
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import quote

import httpx

from dicom_node.errors import PeerError
from dicom_node.listener import CIPHERS
from dicom_node.multipart import MultipartParser, PieceKind, read_boundary
from dicom_node.settings import WebServer

CHUNK_BYTES = 1 << 18
MAXIMUM_PARTS = 100_000
MAXIMUM_RETRY_AFTER = 86400.0
DICOM_JSON = "application/dicom+json"
STORED_SEQUENCE, FAILED_SEQUENCE = "00081199", "00081198"
INSTANCE_UID, WARNING_REASON, FAILURE_REASON = "00081155", "00081196", "00081197"
DUPLICATE_SOP_INSTANCE = 0x0111

Attributes = Mapping[str, Any]
KeepPart = Callable[[Iterator[bytes]], None]


class RetryLaterError(PeerError):
    """The server asks to come back later.

    Attributes:
        seconds: Its Retry-After, bounded; 0 when it named none.
    """

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds


@dataclass(slots=True)
class StoreAnswer:
    """What a STOW-RS response says of each instance (PS3.18 10.5.3).

    Attributes:
        stored: SOP Instance UID → warning code, 0 without one.
        failed: SOP Instance UID → failure code.
        is_told: False when the server described nothing we can read.
        is_success: The status was 200, which means every instance (PS3.18 table 10.5.3-1).
    """

    stored: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    is_told: bool = True
    is_success: bool = False


class WebClient:
    """Talks to one server."""

    def __init__(self, server: WebServer) -> None:
        self._server = server
        self._base = server.url.rstrip("/")

    def echo(self) -> None:
        """Ask for one study, to see that the server answers and lets us in.

        Raises:
            PeerError: It does not.
        """
        self.search("/studies", [("limit", "1")])

    def store(self, files: Sequence[Path]) -> StoreAnswer:
        """STOW-RS, one request, files streamed from disk.

        Raises:
            RetryLaterError: 503 or 429, with Retry-After.
            PeerError: Any other answer without a word on the instances, or a broken connection.
            OSError: A file cannot be read.
        """
        boundary = uuid.uuid4().hex
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": DICOM_JSON,
        }
        body = _encode_parts(files, boundary.encode())
        with self._request("POST", "/studies", headers=headers, content=body) as response:
            content = self._read(response)
        return self._read_store_answer(response, content)

    def _read_store_answer(self, response: httpx.Response, content: bytes) -> StoreAnswer:
        if response.status_code not in (200, 202, 409):
            self._check(response)
        try:
            answer = json.loads(content)
            answer = answer[0] if isinstance(answer, list) else answer
            stored = _references(answer, STORED_SEQUENCE, WARNING_REASON)
            failed = _references(answer, FAILED_SEQUENCE, FAILURE_REASON)
        except (ValueError, LookupError, TypeError, AttributeError):
            stored, failed = {}, {}
        for uid in [u for u, code in failed.items() if code == DUPLICATE_SOP_INSTANCE]:
            stored[uid] = failed.pop(uid)
        if not stored and not failed and response.status_code == 409:
            self._check(response)
        is_success = response.status_code == 200 and not failed
        return StoreAnswer(stored, failed, bool(stored or failed), is_success)

    def search(self, path: str, query: Sequence[tuple[str, str]]) -> list[Attributes]:
        """QIDO-RS (PS3.18 10.6).

        Args:
            query: Matching keys; includefield repeats (Orthanc reads no encoded comma).

        Raises:
            PeerError: No answer, or none that is DICOM JSON.
        """
        with self._request(
            "GET", path, params=list(query), headers={"Accept": DICOM_JSON}
        ) as response:
            content = self._read(response)
        if response.status_code == 204:
            return []
        self._check(response)
        try:
            found = json.loads(content)
        except ValueError as error:
            raise PeerError(f"{self._server.name} did not answer with DICOM JSON") from error
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise PeerError(f"{self._server.name} did not answer with a list")
        return found

    def find_instances(self, study_uid: str) -> set[str]:
        """SOP Instance UIDs the server shows of a study.

        Raises:
            PeerError: No answer.
        """
        found: set[str] = set()
        step = 1000
        while True:
            query = [("limit", str(step)), ("offset", str(len(found)))]
            answers = self.search(f"/studies/{study_uid}/instances", query)
            fresh = {text_of(item, "00080018") for item in answers} - found
            found |= fresh
            if len(answers) < step or not fresh:
                return found

    def retrieve_series(self, study_uid: str, series_uid: str, keep: KeepPart) -> int:
        """WADO-RS (PS3.18 10.4); each instance is handed over as chunks of a Part 10 file.

        Returns:
            Number of instances.

        Raises:
            PeerError: No answer, a wrong type, or a body that ends early.
            NodeError, OSError: What ``keep`` raised.
        """
        path = f"/studies/{study_uid}/series/{series_uid}"
        accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
        with self._request("GET", path, headers={"Accept": accept}) as response:
            if response.status_code != 200:
                self._check(response)
                raise PeerError(f"{self._server.name} answered {response.status_code}")
            boundary = read_boundary(response.headers.get("content-type", ""))
            return self._take_parts(response, boundary, keep)

    def _take_parts(self, response: httpx.Response, boundary: bytes, keep: KeepPart) -> int:
        parser = MultipartParser(boundary, maximum_parts=MAXIMUM_PARTS)
        pieces = (piece for chunk in response.iter_raw(CHUNK_BYTES) for piece in parser.feed(chunk))
        count = 0
        for kind, _ in pieces:
            if kind is PieceKind.HEADERS:
                keep(_until_end(pieces))
                count += 1
        if not parser.is_complete:
            raise PeerError(f"{self._server.name} broke off in the middle of its answer")
        return count

    @contextmanager
    def _request(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:  # noqa: ANN401
        server = self._server
        timeout = httpx.Timeout(server.answer_seconds, connect=server.connect_seconds)
        # No compression, so that a small answer cannot become a large one.
        headers = {"Accept-Encoding": "identity", **options.pop("headers")}
        headers |= self._authorization()
        url = self._base + quote(path)
        try:
            with (
                httpx.Client(
                    verify=make_web_tls(server), timeout=timeout, trust_env=False
                ) as client,
                client.stream(method, url, headers=headers, **options) as response,
            ):
                yield response
        except httpx.HTTPError as error:
            raise PeerError(f"{server.name}: {type(error).__name__}") from error

    def _authorization(self) -> dict[str, str]:
        server = self._server
        if server.token_file is not None:
            return {"Authorization": f"Bearer {_read_secret(server.token_file)}"}
        if server.password_file is not None:
            pair = f"{server.user}:{_read_secret(server.password_file)}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {}

    def _read(self, response: httpx.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_raw(CHUNK_BYTES):
            content += chunk
            if len(content) > self._server.maximum_answer_bytes:
                raise PeerError(f"{self._server.name} gave a larger answer than allowed")
        return bytes(content)

    def _check(self, response: httpx.Response) -> None:
        code = response.status_code
        if code in (429, 503):
            pause = read_retry_after(response.headers.get("retry-after", ""))
            raise RetryLaterError(f"{self._server.name} answered {code}: try later", pause)
        if not 200 <= code < 300:
            raise PeerError(f"{self._server.name} answered {code} {response.reason_phrase}")


def make_web_tls(server: WebServer) -> ssl.SSLContext | bool:
    """TLS of a server after BCP 195; True (httpx's own checks) for plain HTTP."""
    if not server.url.startswith("https://"):
        return True
    tls = server.tls
    context = ssl.create_default_context(cafile=str(tls.authorities) if tls.authorities else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context


def read_retry_after(text: str) -> float:
    """Seconds of a Retry-After header (RFC 9110 10.2.3), 0 to one day; 0 when it is none."""
    try:
        seconds = float(text) if text.strip().isdigit() else _seconds_until(text)
    except (ValueError, TypeError):
        return 0.0
    return min(max(seconds, 0.0), MAXIMUM_RETRY_AFTER)


def _seconds_until(text: str) -> float:
    return parsedate_to_datetime(text).timestamp() - time()


def text_of(item: Attributes, tag: str) -> str:
    """First value of an attribute in DICOM JSON as text; empty without one."""
    element = item.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    if not isinstance(values, list) or not values or values[0] is None:
        return ""
    value = values[0]
    return str(value.get("Alphabetic", "")) if isinstance(value, dict) else str(value)


def _references(answer: Attributes, sequence: str, reason: str) -> dict[str, int]:
    items = answer.get(sequence, {}).get("Value", [])
    return {text_of(item, INSTANCE_UID): int(text_of(item, reason) or 0) for item in items}


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PeerError(f"The secret in {path.name} cannot be read") from error


def _encode_parts(files: Sequence[Path], boundary: bytes) -> Iterator[bytes]:
    for path in files:
        yield b"--" + boundary + b"\r\nContent-Type: application/dicom\r\n\r\n"
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
        yield b"\r\n"
    yield b"--" + boundary + b"--\r\n"


def _until_end(pieces: Iterator[tuple[PieceKind, bytes]]) -> Iterator[bytes]:
    for kind, data in pieces:
        if kind is PieceKind.END:
            return
        yield data
