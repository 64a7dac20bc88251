"""A wall clock that can be moved, for every Python process started with this folder first.

Python imports this module by itself when it starts. The file named by
HEPATOCAST_TEST_CLOCK holds seconds that are added to ``time.time`` and ``time.time_ns``,
for the node and for DBOS alike; the monotonic clock stays, as it does on a real machine.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

PLACE = os.environ.get("HEPATOCAST_TEST_CLOCK", "")


def shifted(real: Callable[[], float], per_second: int) -> Callable[[], float]:
    def read() -> float:
        try:
            return real() + int(Path(PLACE).read_text() or "0") * per_second
        except (OSError, ValueError):  # being written at this moment
            return real()

    return read


if PLACE:
    time.time = shifted(time.time, 1)
    time.time_ns = shifted(time.time_ns, 1_000_000_000)  # type: ignore[assignment]
