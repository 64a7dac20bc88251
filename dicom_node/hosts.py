"""Which hosts are alive: heartbeats in the database, judged by each observer's own clock."""

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from dicom_node.schema import hosts

log = logging.getLogger(__name__)

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last beat seen of another host, and when by our own clock."""

    beat: int
    at: float


class Heartbeat:
    """Beats for this host and watches the others."""

    def __init__(
        self, engine: sa.Engine, host_id: str, *, dead_after_seconds: float,
        clock: Clock = time.monotonic,
    ) -> None:  # fmt: skip
        self._engine, self._host_id = engine, host_id
        self._dead_after_seconds = dead_after_seconds
        self._clock = clock
        self._incarnation = uuid.uuid4().hex
        self._seen: dict[str, _Seen] = {}

    def register(self) -> None:
        """Enter this host; an entry of an earlier life of it is replaced."""
        with self._engine.begin() as connection:
            connection.execute(hosts.delete().where(hosts.c.host_id == self._host_id))
            connection.execute(
                hosts.insert().values(
                    host_id=self._host_id,
                    beat=0,
                    incarnation=self._incarnation,
                    seen_at=time.time(),
                )
            )

    def beat(self) -> bool:
        """Say that this host is alive; False when the others have given it up."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                hosts.update()
                .where(hosts.c.host_id == self._host_id)
                .where(hosts.c.incarnation == self._incarnation)
                .values(beat=hosts.c.beat + 1, seen_at=time.time())
            )
            return bool(changed.rowcount)

    def find_dead(self) -> list[str]:
        """Other hosts whose beat has not changed for too long."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(hosts.c.host_id, hosts.c.beat)).all()
        now = self._clock()
        dead = []
        for host_id, beat in rows:
            seen = self._seen.get(host_id)
            if seen is None or seen.beat != beat:
                self._seen[host_id] = _Seen(beat, now)
            elif host_id != self._host_id and now - seen.at > self._dead_after_seconds:
                dead.append(host_id)
        return dead

    def bury(self, host_id: str) -> None:
        """Remove a dead host after its work was taken over; its own return is a new life."""
        seen = self._seen.pop(host_id, None)
        if seen is None:
            return
        with self._engine.begin() as connection:
            connection.execute(
                hosts.delete().where(hosts.c.host_id == host_id, hosts.c.beat == seen.beat)
            )
