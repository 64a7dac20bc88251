"""Where a result may go, as a person writes it down."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from engine.errors import InputError

DIMSE = re.compile(r"([\x21-\x3f\x41-\x5b\x5d-\x7e]{1,16})@([^@:/\s]+):(\d{1,5})")
"""AE title (PS3.5 6.2, without backslash, space and at sign), host, port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One PACS.

    Attributes:
        url: Base of its DICOMweb service, without a trailing slash; empty for DIMSE.
        called, calling: AE titles; empty for DICOMweb.
        host, port: Of the DIMSE peer.
        token: Bearer token for DICOMweb; empty for none.
        timeout_seconds: How long to wait for an answer.
    """

    url: str = ""
    called: str = ""
    calling: str = ""
    host: str = ""
    port: int = 0
    token: str = field(default="", repr=False)
    timeout_seconds: float = 30.0

    @property
    def is_web(self) -> bool:
        """Whether it is reached by DICOMweb."""
        return bool(self.url)

    @property
    def shown(self) -> str:
        """Its name for people; never a credential."""
        return self.url or f"{self.called}@{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of one object.

    Attributes:
        accepted: Whether the peer says it holds it.
        answer: The peer's status by name, or why there is none.
    """

    accepted: bool
    answer: str


def parse_destination(
    text: str, *, calling: str = "HEPATOCAST", token: str = "", timeout_seconds: float = 30.0
) -> Destination:
    """Read "AETITLE@host:port" or a DICOMweb address.

    Raises:
        InputError: It is neither, or carries credentials.
    """
    if "://" in text:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError("A DICOMweb address starts with https:// or http:// and names a host")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise InputError("Leave credentials and queries out of the address; use --token-file")
        return Destination(
            url=text.rstrip("/").removesuffix("/studies"),
            token=token,
            timeout_seconds=timeout_seconds,
        )
    found = DIMSE.fullmatch(text)
    if found is None or not 0 < int(found[3]) < 65536:
        raise InputError(
            f"{text!r} is no destination; write AETITLE@host:port or https://host/dicom-web"
        )
    return Destination(
        called=found[1],
        host=found[2],
        port=int(found[3]),
        calling=calling,
        timeout_seconds=timeout_seconds,
    )
