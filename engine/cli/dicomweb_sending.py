"""Objects by STOW-RS, one request each so that every object has its own answer (PS3.18 10.5)."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from engine.cli.destinations import Destination, Sent

FAILED_SOP_SEQUENCE, REFERENCED_SOP_SEQUENCE = "00081198", "00081199"
FAILURE_REASON, WARNING_REASON = "00081197", "00081196"


class RefuseRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would send images to somebody the user did not name."""

    def redirect_request(self, *_arguments: Any, **_options: Any) -> None:  # noqa: ANN401
        """Follow none."""


def send_by_web(destination: Destination, objects: Sequence[tuple[str, bytes]]) -> Iterator[Sent]:
    """Store each object; one answer per object, in order.

    Args:
        destination: The service.
        objects: SOP Class UID and file of each.
    """
    opener = urllib.request.build_opener(RefuseRedirects)
    for _, content in objects:
        try:
            with opener.open(make_request(destination, content),
                             timeout=destination.timeout_seconds) as answer:  # fmt: skip
                yield read_answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            yield read_answer(error.code, error.read())
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", None) or error
            yield Sent(accepted=False, answer=f"no connection: {reason}")


def make_request(destination: Destination, content: bytes) -> urllib.request.Request:
    """The POST of one object."""
    boundary = uuid.uuid5(uuid.NAMESPACE_OID, str(len(content))).hex
    while boundary.encode() in content:
        boundary = uuid.uuid4().hex
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked when it was read
        f"{destination.url}/studies",
        data=head + content + f"\r\n--{boundary}--\r\n".encode(),
        method="POST",
    )
    kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
    request.add_header("Content-Type", kind)
    request.add_header("Accept", "application/dicom+json")
    if destination.token:
        request.add_header("Authorization", f"Bearer {destination.token}")
    return request


def read_answer(status: int, body: bytes) -> Sent:
    """What the service says of the one object (PS3.18 10.5.3)."""
    try:
        document = json.loads(body) if body else {}
    except ValueError:
        document = {}
    document = document[0] if isinstance(document, list) and document else document
    failed = _items(document, FAILED_SOP_SEQUENCE)
    stored = _items(document, REFERENCED_SOP_SEQUENCE)
    if status in (200, 202) and stored and not failed:
        warned = _first(stored[0], WARNING_REASON)
        return Sent(
            accepted=True, answer=f"HTTP {status}" + (f", warning {warned}" if warned else "")
        )
    if failed:
        return Sent(
            accepted=False, answer=f"HTTP {status}, reason {_first(failed[0], FAILURE_REASON)}"
        )
    if status in (200, 202):
        return Sent(accepted=False, answer=f"HTTP {status}, but the answer names no stored object")
    return Sent(accepted=False, answer=f"HTTP {status}")


def _items(document: Any, tag: str) -> list[Any]:  # noqa: ANN401 - JSON
    if not isinstance(document, dict):
        return []
    element = document.get(tag)
    return list(element.get("Value", [])) if isinstance(element, dict) else []


def _first(item: Any, tag: str) -> Any:  # noqa: ANN401 - JSON
    values = _items(item, tag)
    return values[0] if values else None
