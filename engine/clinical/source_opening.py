"""From an address on a command line to open clinical sources.

The engine knows files only. Whatever needs a network or a server's store is opened by a plug-in
found by its entry point (group ``hepatocast.clinical_sources``), named by the address's scheme:
``https://ehr.example/fhir``, ``hl7:FILE``, ``node:CONFIG``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from engine.clinical.clinical_file import FileSource
from engine.clinical.source import ClinicalSource
from engine.errors import ClinicalDataError

GROUP = "hepatocast.clinical_sources"
SCHEMES = ("http", "https", "hl7", "node")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What a user gave beside the address.

    Attributes:
        mapping: TOML layout of a foreign spreadsheet.
        token_file: File with a bearer token for a FHIR server.
        issuers: Issuer of Patient ID to the name that the source uses for it.
        time_zone: IANA name of the hospital's time zone; empty takes moments as written.
    """

    mapping: Path | None = None
    token_file: Path | None = None
    issuers: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = ""


Opener = Callable[[str, SourceOptions], Sequence[ClinicalSource]]
"""A plug-in: from the whole address and the options to the sources behind it."""


def open_sources(address: str, options: SourceOptions) -> tuple[ClinicalSource, ...]:
    """Open what an address names.

    Args:
        address: A file, or an address with one of the schemes above.
        options: What the user gave beside it.

    Raises:
        ClinicalDataError: The address needs a part of HepatoCast that is not installed.
    """
    scheme, colon, _ = address.partition(":")
    if not colon or scheme.lower() not in SCHEMES:
        issuers = {system: issuer for issuer, system in options.issuers.items()}
        file = FileSource(path=Path(address), mapping=options.mapping, issuers=issuers)
        return (file,)
    found = entry_points(group=GROUP, name=scheme.lower())
    if not found:
        raise ClinicalDataError(
            f"A source '{scheme}:' needs the node's part of HepatoCast: install hepatocast[node]"
        )
    try:
        opener = cast(Opener, next(iter(found)).load())
    except ImportError as error:
        raise ClinicalDataError(
            f"A source '{scheme}:' needs the node's libraries ({error.name}): "
            "install hepatocast[node]"
        ) from error
    return tuple(opener(address, options))
