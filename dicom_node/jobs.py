"""Durable work behind a small port; DBOS (SQLite or PostgreSQL) is the one implementation.

A piece of work is a name and ids only. Doing it twice must not hurt. Work that should
exist is asked for again and again (``Worker.sweep``); its id makes that harmless. Pauses
are the asker's (``schedule``): DBOS measures its delays by the wall clock, which may jump.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig

log = logging.getLogger(__name__)

APPLICATION = "hepatocast-node"
# Bumped only when the order of steps within a workflow changes.
APPLICATION_VERSION = "1"
ANALYSIS, DELIVERY = "analysis", "delivery"
POLL_SECONDS = 0.5
STEP_TRIES = 50
MAXIMUM_REPEATS = 20
FORGET_AT_ONCE = 500
BROKEN = ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

UNREACHABLE = (
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sa.exc.InternalError,
    sa.exc.TimeoutError,
)
"""The database is away, locked or overloaded; any other error of it is a defect of a piece of
work, and repeating that for hours would hide it."""

Analyze = Callable[[str], None]
Deliver = Callable[[str, str], None]


class Jobs(Protocol):
    """What the node needs of a durable queue."""

    def ask_for_analysis(self, work_id: str, job_id: str, *, priority: int) -> None:
        """Have a job analyzed once under this work id; a lower priority goes first."""

    def ask_for_delivery(self, work_id: str, job_id: str, destination: str) -> None:
        """Have a delivery tried once under this work id."""

    def take_over(self, host_id: str) -> int:
        """Make a dead host's work runnable again; the number of pieces."""

    def forget_done(self, *, older_than_seconds: float) -> int:
        """Drop the queue's rows of work that was done long ago; the number of rows."""


class DbosJobs:
    """DBOS as the durable queue. One per process."""

    def __init__(self, *, database_url: str, host_id: str, analyses: int, deliveries: int) -> None:
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": database_url,
            "application_version": APPLICATION_VERSION,
            "executor_id": host_id,
            "log_level": "ERROR",
        }
        self._config = config
        self._analyses, self._deliveries = analyses, deliveries

    def start(self, analyze: Analyze, deliver: Deliver) -> None:
        """Register what work means and begin; unfinished work of this host is resumed."""
        DBOS(config=self._config)
        _register(ANALYSIS, analyze)
        _register(DELIVERY, deliver)
        DBOS.launch()
        for name, number in ((ANALYSIS, self._analyses), (DELIVERY, self._deliveries)):
            DBOS.register_queue(
                name,
                worker_concurrency=number,
                polling_interval_sec=POLL_SECONDS,
                on_conflict="always_update",
            )

    def ask_for_analysis(self, work_id: str, job_id: str, *, priority: int) -> None:
        """Have a job analyzed once under this work id; a lower priority goes first."""
        self._ask(ANALYSIS, work_id, (job_id,), priority=priority)

    def ask_for_delivery(self, work_id: str, job_id: str, destination: str) -> None:
        """Have a delivery tried once under this work id."""
        self._ask(DELIVERY, work_id, (job_id, destination), priority=1)

    def take_over(self, host_id: str) -> int:
        """Make a dead host's work runnable again; the number of pieces."""
        return len(DBOS._recover_pending_workflows([host_id]))

    def forget_done(self, *, older_than_seconds: float) -> int:
        """Drop the queue's rows of work that was done long ago; the number of rows.

        The ledger has moved on before a piece of work counts as done, so its id is never
        asked for again; without this the queue's tables would grow for ever.
        """
        before = datetime.fromtimestamp(time.time() - older_than_seconds, UTC)
        rows = DBOS.list_workflows(
            status=["SUCCESS"],
            completed_before=before.isoformat(),
            limit=FORGET_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if rows:
            DBOS.delete_workflows([row.workflow_id for row in rows])
        return len(rows)

    def _ask(self, name: str, work_id: str, arguments: tuple[str, ...], *, priority: int) -> None:
        fresh_id = _find_unused(work_id)
        if fresh_id is None:
            return
        options: dict[str, Any] = {
            "workflow_name": name,
            "queue_name": name,
            "workflow_id": fresh_id,
            "priority": priority,
            "app_version": APPLICATION_VERSION,
        }
        DBOS.enqueue_workflow_with_options(options, *arguments)


def _find_unused(work_id: str) -> str | None:
    """An id to ask under; None when the work is under way or done.

    A workflow that ended in an error (an unreachable database outlasting every retry)
    keeps its id for ever, so the work is asked for again under the next one.
    """
    for number in range(MAXIMUM_REPEATS):
        candidate = f"{work_id}~{number}" if number else work_id
        status = DBOS.get_workflow_status(candidate)
        if status is None:
            return candidate
        if status.status not in BROKEN:
            return None
        log.warning("%s had ended in %s", candidate, status.status)
    return None


def _register(name: str, handle: Callable[..., None]) -> None:
    """A workflow of one step, which outlasts an unreachable database."""

    def step(*arguments: str) -> None:
        handle(*arguments)

    durable_step = DBOS.step(
        name=f"{name}-step",
        retries_allowed=True,
        max_attempts=STEP_TRIES,
        interval_seconds=0.5,
        backoff_rate=1.2,
        should_retry=lambda error: isinstance(error, UNREACHABLE),
    )(step)

    def workflow(*arguments: str) -> None:
        durable_step(*arguments)

    DBOS.workflow(name=name, max_recovery_attempts=1000)(workflow)
