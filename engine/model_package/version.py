"""Semantic Versioning 2.0.0: validity and precedence."""

import re

from engine.errors import ModelPackageError

_NUMBER = r"(0|[1-9]\d*)"
_PATTERN = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
Precedence = tuple[int, int, int, int, tuple[tuple[int, int, str], ...]]


def precedence(version: str) -> Precedence:
    """Give a key that sorts versions from old to new (SemVer 2.0.0, item 11).

    Raises:
        ModelPackageError: Not a semantic version.
    """
    match = _PATTERN.fullmatch(version)
    if match is None:
        raise ModelPackageError(f"Version {version!r} is not MAJOR.MINOR.PATCH (SemVer 2.0.0)")
    major, minor, patch = (int(match[n]) for n in (1, 2, 3))
    pre = match["pre"]
    parts = () if pre is None else tuple(_part(part) for part in pre.split("."))
    return (major, minor, patch, 1 if pre is None else 0, parts)


def _part(identifier: str) -> tuple[int, int, str]:
    """Numeric identifiers sort by value and before the others."""
    return (0, int(identifier), "") if identifier.isdigit() else (1, 0, identifier)


def is_version(text: str) -> bool:
    """Tell whether a text is a semantic version."""
    return _PATTERN.fullmatch(text) is not None
