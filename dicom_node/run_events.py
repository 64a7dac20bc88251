"""What one run of the engine has told so far; as much memory as its last word."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dicom_node.errors import EngineRunError

LOOK_SECONDS = 1.0

ReportProgress = Callable[[str, float], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOutcome:
    """How a run ended: "result" or "not-analyzed" (then with the reason)."""

    outcome: str
    reason: str = ""


class EngineCancelledError(EngineRunError):
    """The run was stopped because its result is no longer wanted."""


class EngineTimeoutError(EngineRunError):
    """The run took longer than it may."""


class RunEvents:
    """Filled by the thread that reads the engine's output, followed by the one that waits.

    Attributes:
        last: The last event that was not progress; empty when there was none.
    """

    def __init__(self) -> None:
        self.last: dict[str, Any] = {}
        self._stage, self._fraction = "starting", 0.0
        self._is_over = False
        self._changed = threading.Condition()

    def take(self, event: dict[str, Any]) -> None:
        """Take one event; only the latest of each sort is kept."""
        with self._changed:
            if event.get("event") == "progress":
                self._stage = str(event.get("stage", ""))
                self._fraction = _number(event.get("fraction"))
            else:
                self.last = event
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait for the end; False when it has not come by then."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_over, seconds)

    def follow(self, *, timeout_seconds: float, report: ReportProgress) -> dict[str, Any]:
        """Wait for the end and give the last event.

        Args:
            timeout_seconds: Longest run.
            report: Called with stage and fraction, at least every second; False cancels.

        Raises:
            EngineCancelledError: ``report`` said so.
            EngineTimeoutError: It took too long.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            with self._changed:
                if not self._is_over:
                    self._changed.wait(LOOK_SECONDS)
                if self._is_over:
                    return self.last
                stage, fraction = self._stage, self._fraction
            if not report(stage, fraction):
                raise EngineCancelledError("The result is no longer wanted")
            if time.monotonic() > deadline:
                raise EngineTimeoutError(f"The engine took longer than {timeout_seconds:g} s")


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
