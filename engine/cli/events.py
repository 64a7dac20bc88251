"""What a run tells while it runs: bars for people, JSON lines for programs."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from engine.errors import EngineError

BAR_WIDTH = 28
TICK_SECONDS = 0.1


class Reporter(Protocol):
    """Receives everything a run has to say."""

    def progress(self, stage: str, fraction: float, text: str = "") -> None:
        """A stage got further."""

    def error(self, error: EngineError) -> None:
        """The run ended with an error."""

    def event(self, name: str, **fields: Any) -> None:  # noqa: ANN401 - JSON values
        """Anything else a program may want to know."""


class BarReporter:
    """One bar per stage on standard error; plain lines where there is no terminal."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._stage = ""
        self._started = clock()
        self._drawn = 0.0

    def progress(self, stage: str, fraction: float, text: str = "") -> None:
        """Draw the stage's bar, at most ten times a second."""
        now = self._clock()
        if stage != self._stage:
            self._stage, self._started = stage, now
        elif fraction < 1 and (not self._live or now - self._drawn < TICK_SECONDS):
            return
        self._drawn = now
        if self._live or fraction >= 1:
            self._stream.write(self._line(stage, fraction, text, now - self._started))
            self._stream.flush()

    def _line(self, stage: str, fraction: float, text: str, seconds: float) -> str:
        full = round(BAR_WIDTH * min(max(fraction, 0.0), 1.0))
        bar = "█" * full + "░" * (BAR_WIDTH - full)
        left = f"{seconds:5.1f} s"
        if 0.05 < fraction < 1:
            left = f"{seconds * (1 - fraction) / fraction:4.0f} s left"
        start, end = ("\r\x1b[K", "\n" if fraction >= 1 else "") if self._live else ("", "\n")
        return f"{start}{stage:<13} {bar} {fraction:4.0%} {left}  {text[:48]}{end}"

    def error(self, error: EngineError) -> None:
        """One line that says what, where and what to do."""
        lead = "\r\x1b[K" if self._live else ""
        self._stream.write(f"{lead}hepatocast: {type(error).__name__}: {error}\n")

    def event(self, name: str, **fields: Any) -> None:  # noqa: ANN401 - JSON values
        """People read the table that is printed instead."""


class JsonLineReporter:
    """One JSON object per line on standard output (DESIGN decision 13)."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def progress(self, stage: str, fraction: float, text: str = "") -> None:
        """{"event": "progress", "stage", "fraction", "text"}."""
        self.event("progress", stage=stage, fraction=round(fraction, 4), text=text)

    def error(self, error: EngineError) -> None:
        """{"event": "error", "kind", "message"}."""
        self.event("error", kind=type(error).__name__, message=str(error))

    def event(self, name: str, **fields: Any) -> None:  # noqa: ANN401 - JSON values
        """Write one line and flush, so that a reader never waits."""
        self._stream.write(json.dumps({"event": name, **fields}, ensure_ascii=False) + "\n")
        self._stream.flush()


def make_reporter(*, json_lines: bool) -> Reporter:
    """The reporter for this run."""
    return JsonLineReporter(sys.stdout) if json_lines else BarReporter(sys.stderr)
