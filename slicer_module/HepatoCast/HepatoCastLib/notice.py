"""A plain Python signal; ``qt.Signal`` on a Python class does not exist under PythonQt."""

from collections.abc import Callable
from typing import Any


class Notice:
    """Calls every listener, in the order in which they were connected."""

    def __init__(self) -> None:
        self._listeners: list[Callable[..., None]] = []

    def connect(self, listener: Callable[..., None]) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    def __call__(self, *values: Any) -> None:
        """Tell all listeners."""
        for listener in tuple(self._listeners):
            listener(*values)
