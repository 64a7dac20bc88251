"""Strict reading of TOML tables: every key is asked for once, and what is left is an error."""

import difflib
import math
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from engine.errors import ModelPackageError


class Table:
    """One table of a manifest, with its place for error messages.

    Every getter takes the key out; ``finish`` refuses the keys that nobody asked for.
    All getters raise ModelPackageError when a key without default is missing or its
    value is not of the kind that was asked for.
    """

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self.where = where
        self._values = dict(values)
        self._asked: list[str] = []

    def text(self, key: str, default: str | None = None) -> str:
        """A string, not empty."""
        value = self._take(key, default)
        if not isinstance(value, str) or (not value.strip() and default is None):
            raise self._wrong(key, "a string that is not empty", value)
        return value

    def path(self, key: str) -> str:
        """A relative path with forward slashes that stays inside its folder."""
        value = self.text(key)
        if not is_plain_path(value):
            raise self._wrong(key, "a plain path inside the package", value)
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of the listed words."""
        value = self.text(key, default)
        if value not in allowed:
            raise self._wrong(key, f"one of {', '.join(map(repr, allowed))}", value)
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of strings."""
        value = self._take(key, default)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise self._wrong(key, "a list of strings", value)
        return tuple(value)

    def number(self, key: str, default: float | None = None, *, least: float = -math.inf) -> float:
        """A finite number of at least ``least``."""
        value = self._take(key, default)
        if not _is_number(value) or value < least:
            bound = "" if least == -math.inf else f" of at least {least:g}"
            raise self._wrong(key, f"a number{bound}", value)
        return float(value)

    def numbers(self, key: str, count: int, *, positive: bool = False) -> tuple[float, ...]:
        """A list of ``count`` finite numbers."""
        value = self._take(key, None)
        right = isinstance(value, list) and len(value) == count and all(map(_is_number, value))
        if not right or (positive and min(value) <= 0):
            raise self._wrong(key, f"{count} numbers{' above 0' if positive else ''}", value)
        return tuple(float(v) for v in value)

    def integers(
        self, key: str, *, count: int | None = None, default: tuple[int, ...] | None = None
    ) -> tuple[int, ...]:
        """A list of whole numbers, none negative."""
        value = self._take(key, default)
        right = isinstance(value, list | tuple) and all(
            isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in value
        )
        if not right or (count is not None and len(value) != count):
            number = "" if count is None else f"{count} "
            raise self._wrong(key, f"a list of {number}whole numbers, 0 or more", value)
        return tuple(value)

    def table(self, key: str) -> "Table":
        """A table inside this one."""
        value = self._take(key, None)
        if not isinstance(value, dict):
            raise self._wrong(key, "a table", value)
        return Table(value, f"{self.where} [{key}]")

    def optional_table(self, key: str) -> "Table | None":
        """A table inside this one, or None when it is absent."""
        self._asked.append(key)
        return self.table(key) if key in self._values else None

    def tables(self, key: str, *, at_least: int = 0) -> tuple["Table", ...]:
        """A list of tables ([[key]])."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise self._wrong(key, f"a list of tables [[{key}]]", value)
        if len(value) < at_least:
            raise self._wrong(key, f"at least {at_least} [[{key}]]", f"{len(value)}")
        return tuple(Table(v, f"{self.where} [[{key}]] {n}") for n, v in enumerate(value, 1))

    def text_map(self, key: str) -> dict[str, str]:
        """A table of free keys with string values."""
        value = self._take(key, None)
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise self._wrong(key, "a table of strings", value)
        return dict(value)

    def finish(self) -> None:
        """Refuse the keys that nobody asked for, naming the nearest known one."""
        for key in self._values:
            nearest = difflib.get_close_matches(key, self._asked, n=1)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else "; remove it"
            raise ModelPackageError(f"{self.where}: unknown key {key!r}{hint}")

    def wrong(self, message: str) -> ModelPackageError:
        """An error about this table, to be raised by the caller."""
        return ModelPackageError(f"{self.where}: {message}")

    def _take(self, key: str, default: Any) -> Any:  # noqa: ANN401 - TOML values have any type
        self._asked.append(key)
        if key in self._values:
            return self._values.pop(key)
        if default is None:
            nearest = difflib.get_close_matches(key, self._values, n=1)
            hint = f" (found {nearest[0]!r})" if nearest else ""
            raise ModelPackageError(f"{self.where}: key {key!r} is missing{hint}")
        return default

    def _wrong(self, key: str, needed: str, found: object) -> ModelPackageError:
        return ModelPackageError(f"{self.where}: {key} must be {needed}, found {found!r}")


def is_plain_path(text: str) -> bool:
    """Tell whether a text is a relative path without "..", drive or backslash."""
    parts = PurePosixPath(text).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and not set(text) & set("\\:")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
