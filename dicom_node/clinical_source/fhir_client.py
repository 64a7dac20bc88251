"""A small FHIR R4 REST client: search with paging, create-or-update by identifier.

Everything is bounded: time per request, time per search, retries, pages, resources, bytes.
"""

import json
import logging
import math
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from engine.clinical.source import SourceUnavailableError

log = logging.getLogger(__name__)

Resource = Mapping[str, Any]

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_FHIR_JSON = "application/fhir+json"
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_SAFE = frozenset({"GET", "PUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirLimits:
    """Bounds of one conversation.

    Attributes:
        request_s: Seconds a single request may take.
        search_s: Seconds a search with all its pages and retries may take.
        fetch_s: Seconds everything that is asked about one patient may take.
        attempts: Tries per request.
        backoff_s: First pause between tries; doubles each time.
        page_size: ``_count`` asked for.
        resources: Most resources of one search.
        response_bytes: Largest response body.
    """

    request_s: float = 10.0
    search_s: float = 60.0
    fetch_s: float = 120.0
    attempts: int = 3
    backoff_s: float = 0.5
    page_size: int = 200
    resources: int = 50_000
    response_bytes: int = 64 << 20


class FhirClient:
    """Talks to one FHIR server.

    Args:
        base_url: Service base ("https://ehr.example/fhir").
        authorization: Credentials; None for an open server.
        tls: TLS context (own authority, client certificate); None for the system's.
        limits: Bounds.
        transport: How bytes travel; None for HTTP over TCP.
        pause: Sleeps between tries.
    """

    def __init__(
        self,
        base_url: str,
        authorization: httpx.Auth | None = None,
        tls: ssl.SSLContext | None = None,
        limits: FhirLimits | None = None,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._limits = limits or FhirLimits()
        self._pause = pause
        for library in ("httpx", "httpcore"):  # their lines quote search URLs, thus patients
            logging.getLogger(library).setLevel(logging.WARNING)
        self._http = httpx.Client(
            auth=authorization,
            timeout=self._limits.request_s,
            transport=_Bounded(
                transport or httpx.HTTPTransport(verify=tls if tls is not None else True),
                self._limits.response_bytes,
            ),
            headers={"Accept": _FHIR_JSON},
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def deadline(self) -> float:
        """Moment (monotonic) by which everything asked about one patient must be answered."""
        return time.monotonic() + self._limits.fetch_s

    def search(
        self, resource_type: str, parameters: Mapping[str, str], deadline: float | None = None
    ) -> list[Resource]:
        """All matches of a search, over all its pages; arguments and errors as ``pages``."""
        return [r for page in self.pages(resource_type, parameters, deadline) for r in page]

    def pages(
        self, resource_type: str, parameters: Mapping[str, str], deadline: float | None = None
    ) -> Iterator[list[Resource]]:
        """Matches of a search, page by page, so that only one page is in memory.

        Args:
            resource_type: FHIR resource name.
            parameters: Search parameters; ``_count`` is added.
            deadline: Moment (monotonic) by which the search must be over at the latest.

        Raises:
            SourceUnavailableError: No answer in time, an error status, a body that is no
                Bundle, or more than the limits allow.
        """
        until = min(deadline or math.inf, time.monotonic() + self._limits.search_s)
        query = {**parameters, "_count": str(self._limits.page_size)}
        request = self._http.build_request("GET", f"{self._base}/{resource_type}", params=query)
        count = 0
        seen = {str(request.url)}
        while True:
            bundle = self._send(request, until)
            matches = _matches(bundle)
            count += len(matches)
            if count > self._limits.resources:
                raise SourceUnavailableError(
                    f"more than {self._limits.resources} {resource_type} resources"
                )
            yield matches
            following = self._next(bundle)
            if not following:
                return
            request = self._http.build_request("GET", following)
            if str(request.url) in seen:
                raise SourceUnavailableError("the server's pages go in a circle")
            seen.add(str(request.url))

    def read(self, resource_type: str, resource_id: str, deadline: float | None = None) -> Resource:
        """One resource by id; errors as in ``search``."""
        if not _ID.fullmatch(resource_id):
            raise SourceUnavailableError(f"the server names a {resource_type} by no valid id")
        until = min(deadline or math.inf, time.monotonic() + self._limits.search_s)
        url = f"{self._base}/{resource_type}/{resource_id}"
        return self._send(self._http.build_request("GET", url), until)

    def capabilities(self) -> Resource:
        """What the server says it is (CapabilityStatement); errors as in ``search``."""
        request = self._http.build_request("GET", f"{self._base}/metadata")
        return self._send(request, self.deadline())

    def put_by_identifier(self, resource: Resource) -> Resource:
        """Create a resource, or update the one that already carries its first identifier.

        The same resource sent twice leaves one resource on the server. Errors as in ``search``;
        two resources with the identifier are an error, not a choice.
        """
        kind = str(resource["resourceType"])
        identifier = resource["identifier"][0]
        token = f"{identifier['system']}|{identifier['value']}"
        existing = self.search(kind, {"identifier": token})
        if len(existing) > 1:
            raise SourceUnavailableError(f"{len(existing)} {kind} carry one identifier")
        deadline = time.monotonic() + self._limits.search_s
        if existing:
            body = {**resource, "id": existing[0]["id"]}
            url = f"{self._base}/{kind}/{existing[0]['id']}"
            request = self._http.build_request("PUT", url, content=json.dumps(body))
        else:
            request = self._http.build_request(
                "POST",
                f"{self._base}/{kind}",
                content=json.dumps(resource),
                headers={"If-None-Exist": f"identifier={token}"},
            )
        request.headers["Content-Type"] = _FHIR_JSON
        return self._send(request, deadline)

    def _next(self, bundle: Resource) -> str:
        """URL of the next page; only on the server the search was sent to."""
        links = bundle.get("link", [])
        url = next((str(k.get("url", "")) for k in links if k.get("relation") == "next"), "")
        if url and urlsplit(url)[:2] != urlsplit(self._base)[:2]:
            raise SourceUnavailableError("the server's next page lies on another host")
        return url

    def _send(self, request: httpx.Request, deadline: float) -> Resource:
        """Send with retries on transient failures, until the deadline."""
        problem = "no time left"
        wait_s = 0.0
        for attempt in range(self._limits.attempts):
            if attempt:
                wait_s = max(wait_s, self._limits.backoff_s * 2 ** (attempt - 1))
                self._pause(max(0.0, min(wait_s, deadline - time.monotonic())))
            if time.monotonic() >= deadline:
                break
            try:
                return self._receive(request)
            except _TransientError as error:
                problem, wait_s = str(error), error.wait_s
                log.warning("FHIR request failed (%s), attempt %d", problem, attempt + 1)
                if request.method not in _SAFE:
                    break
        raise SourceUnavailableError(problem)

    def _receive(self, request: httpx.Request) -> Resource:
        try:
            response = self._http.send(request, stream=True)
        except httpx.TimeoutException as error:
            raise _TransientError(f"no answer within {self._limits.request_s:g} s") from error
        except httpx.TransportError as error:
            raise _TransientError(f"no connection ({type(error).__name__})") from error
        try:
            body = self._body(response)
        finally:
            response.close()
        if response.status_code in _RETRIED:
            wait = response.headers.get("Retry-After", "")
            wait_s = float(wait) if wait.isascii() and wait.isdigit() else 0.0
            raise _TransientError(f"HTTP {response.status_code}", wait_s)
        if not response.is_success:
            raise SourceUnavailableError(f"HTTP {response.status_code}")
        try:
            document = json.loads(body)
        except ValueError as error:
            raise SourceUnavailableError("the answer is not JSON") from error
        if not isinstance(document, dict) or "resourceType" not in document:
            raise SourceUnavailableError("the answer is not a FHIR resource")
        return document

    def _body(self, response: httpx.Response) -> bytes:
        parts, size = [], 0
        started = time.monotonic()
        try:
            for part in response.iter_bytes():
                size += len(part)
                if size > self._limits.response_bytes:
                    raise SourceUnavailableError("the answer is too large")
                if time.monotonic() - started > self._limits.request_s:
                    raise _TransientError(f"the answer took more than {self._limits.request_s:g} s")
                parts.append(part)
        except httpx.TimeoutException as error:
            raise _TransientError(f"no answer within {self._limits.request_s:g} s") from error
        except httpx.TransportError as error:
            raise _TransientError(f"the answer broke off ({type(error).__name__})") from error
        return b"".join(parts)


class _TransientError(Exception):
    """A failure that another try may mend, after ``wait_s`` seconds at the earliest."""

    def __init__(self, problem: str, wait_s: float = 0.0) -> None:
        super().__init__(problem)
        self.wait_s = wait_s


class _Bounded(httpx.BaseTransport):
    """Ends every answer, also those that only the authorization reads, at a number of bytes."""

    def __init__(self, inner: httpx.BaseTransport, limit: int) -> None:
        self._inner, self._limit = inner, limit

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send; the answer's stream counts."""
        response = self._inner.handle_request(request)
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _CountingStream(response.stream, self._limit)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class _CountingStream(httpx.SyncByteStream):
    """Bytes of an answer as they came, refused beyond the limit."""

    def __init__(self, inner: httpx.SyncByteStream, limit: int) -> None:
        self._inner, self._limit = inner, limit

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._inner:
            size += len(part)
            if size > self._limit:
                raise SourceUnavailableError("the answer is too large")
            yield part

    def close(self) -> None:
        """Close the answer."""
        self._inner.close()


def _matches(bundle: Resource) -> list[Resource]:
    if bundle.get("resourceType") != "Bundle" or not isinstance(bundle.get("entry", []), list):
        raise SourceUnavailableError("the answer is not a Bundle")
    entries = [entry for entry in bundle.get("entry", []) if isinstance(entry, dict)]
    return [
        entry["resource"]
        for entry in entries
        if isinstance(entry.get("resource"), dict)
        and entry.get("search", {}).get("mode", "match") == "match"
    ]
