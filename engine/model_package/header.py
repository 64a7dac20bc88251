"""What every kind of package says of itself, segmentation or not.

Risk packages are read by the prognosis room; listing and verifying need only their name
and the checksums they hold.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ModelPackageError
from engine.model_package.checksums import file_sha256
from engine.model_package.manifest import MANIFEST_FILE
from engine.model_package.table import is_plain_path


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageHeader:
    """The part of a manifest that all kinds share.

    Attributes:
        kind: "segmentation", "risk", …
        title: "title", or the outcome of a risk package.
        checksums: SHA-256 by path of each file the manifest binds by "file" and "sha256".
    """

    kind: str
    name: str
    version: str
    title: str
    intended_use: str
    limits: tuple[str, ...]
    checksums: dict[str, str]


def read_header(folder: Path) -> PackageHeader:
    """Read the shared part of a manifest.

    Raises:
        ModelPackageError: Not TOML, or without kind, name, version and intended use.
    """
    try:
        values = tomllib.loads((folder / MANIFEST_FILE).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelPackageError(f"{MANIFEST_FILE} of {folder.name} is not TOML: {error}") from error
    texts = {}
    for key in ("kind", "name", "version", "intended_use"):
        if not isinstance(values.get(key), str):
            raise ModelPackageError(f"{MANIFEST_FILE}: key {key!r} is missing or not a string")
        texts[key] = values[key]
    return PackageHeader(
        **texts,
        title=str(values.get("title") or values.get("outcome") or ""),
        limits=tuple(str(limit) for limit in values.get("limits", ())),
        checksums=dict(_bound_files(values)),
    )


def verify_bound_files(folder: Path, header: PackageHeader) -> None:
    """Hold the files that the manifest binds against their checksums.

    Raises:
        ModelPackageError: A file is missing or changed.
    """
    for name, expected in header.checksums.items():
        actual = file_sha256(folder / name) if is_plain_path(name) else "path outside the package"
        if actual != expected:
            raise ModelPackageError(
                f"{header.name} {header.version}: {name} was changed (SHA-256 {actual[:12]}…, "
                f"manifest says {expected[:12]}…); install the package again from its source"
            )


def _bound_files(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - TOML
    if isinstance(value, dict):
        file, sha256 = value.get("file"), value.get("sha256")
        if isinstance(file, str) and isinstance(sha256, str):
            yield file, sha256
        for inner in value.values():
            yield from _bound_files(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _bound_files(inner)
