"""Which work is asked for now: in order, bounded, and no clock that can jump.

A pause before another try runs on this process's monotonic clock from the moment the
failure was first seen here, so a jump of the wall clock neither cuts it short nor makes it
last for hours; a restart begins it again, which costs at most one pause. Only so much work
is asked for ahead, so a backlog of thousands does not flood the queue, a late urgent study
overtakes it, and a destination that hangs takes no more than its own share of the senders.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ASK_AGAIN_SECONDS = 30.0

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Wish:
    """One piece of work that should be done.

    Attributes:
        work_id: Names this try of it; another try is another wish.
        lane: Wishes of one lane share its bound.
        pause_seconds: Least time between the first sight of the wish and its start.
    """

    work_id: str
    lane: str
    pause_seconds: float = 0.0


@dataclass(slots=True)
class _Seen:
    """What is known of a wish: when it was first seen and last asked for."""

    first_at: float
    asked_at: float | None = None


class Schedule:
    """Remembers what was wished and asked for."""

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def pick(self, wishes: Sequence[Wish], ahead: Callable[[str], int]) -> list[Wish]:
        """The wishes to ask for now, in their order.

        Args:
            wishes: Everything that should be done, most urgent first.
            ahead: How much of a lane may be asked for at a time.
        """
        now = self._clock()
        self._seen = {w.work_id: self._seen.get(w.work_id) or _Seen(now) for w in wishes}
        under_way: dict[str, int] = {}
        for wish in wishes:
            if self._seen[wish.work_id].asked_at is not None:
                under_way[wish.lane] = under_way.get(wish.lane, 0) + 1
        picked = []
        for wish in wishes:
            seen = self._seen[wish.work_id]
            if seen.asked_at is None:
                is_due = now - seen.first_at >= wish.pause_seconds
                if not is_due or under_way.get(wish.lane, 0) >= ahead(wish.lane):
                    continue
                under_way[wish.lane] = under_way.get(wish.lane, 0) + 1
            elif now - seen.asked_at < ASK_AGAIN_SECONDS:
                continue
            seen.asked_at = now
            picked.append(wish)
        return picked
