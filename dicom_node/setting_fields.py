"""Fields of settings: a dataclass field that carries its documentation."""

from dataclasses import field
from typing import Any


def setting(default: Any, doc: str) -> Any:  # noqa: ANN401  (a dataclass field of any type)
    """A dataclass field with its documentation."""
    return field(default=default, metadata={"doc": doc})


def needed(doc: str) -> Any:  # noqa: ANN401  (a dataclass field of any type)
    """A dataclass field without default."""
    return field(metadata={"doc": doc})
