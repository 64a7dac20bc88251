"""The working process: spool → index → jobs → deliveries, all through durable state."""

import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial

import sqlalchemy as sa

from dicom_node.analysis import Analyst
from dicom_node.audit import APPLICATION_ACTIVITY, AuditTrail
from dicom_node.completeness import Completeness
from dicom_node.delivery import Courier
from dicom_node.dispatch import Dispatch
from dicom_node.errors import NodeError
from dicom_node.hosts import Heartbeat
from dicom_node.inbox import Inbox
from dicom_node.index import Index, Row
from dicom_node.jobs import ANALYSIS, UNREACHABLE, DbosJobs, Jobs
from dicom_node.ledger import Ledger
from dicom_node.model_switch import ModelSwitches
from dicom_node.note_desk import NoteDesk
from dicom_node.peers import PeerClient
from dicom_node.priors import Priors
from dicom_node.retention import Retention
from dicom_node.schedule import Schedule, Wish
from dicom_node.schema import JobState, create_tables, open_database
from dicom_node.settings import Configuration
from dicom_node.spool import Spool
from dicom_node.watch_folder import WatchFolder

log = logging.getLogger(__name__)

DRAIN_SECONDS = 0.2
SWEEP_SECONDS = 0.5
TIDY_SECONDS, KEEP_DONE_SECONDS = 300.0, 86400.0
ANALYSES_AHEAD = 64
DELIVERIES_AT_ONCE = 4
"""Per destination, so that one that hangs leaves the others their senders."""
GIVEN_UP_EXIT, FAULT_EXIT = 3, 4


class Worker:
    """Builds the parts and runs their loops."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        engine = open_database(configuration.database_url)
        create_tables(engine)
        self.index = Index(engine)
        self.ledger = Ledger(self.index)
        self.dispatch = Dispatch(engine)
        self._spool = Spool(configuration.spool)
        self._audit = AuditTrail(configuration)
        self._client = PeerClient(configuration.ae_title)
        self._priors = Priors(configuration, self.index, self._client, self._audit)
        self._inbox = Inbox(
            self._spool, self.index, configuration.shared, self._audit, divert=self._priors.divert
        )
        self._switches = ModelSwitches(configuration, self.index)
        self._analyst = Analyst(configuration, self.ledger)
        self._courier = Courier(
            configuration, self.ledger, self.dispatch, self._client, self._audit
        )
        self._completeness = Completeness(
            configuration, self.index, self.ledger, self._count_series
        )
        self._retention = Retention(configuration, engine, self._audit)
        self._watch = WatchFolder(configuration.storage.watch_folder, self._spool)
        self._heartbeat = Heartbeat(
            engine,
            configuration.host_id,
            dead_after_seconds=configuration.hosts.dead_after_seconds,
        )
        self._jobs: Jobs | None = None
        self._schedule = Schedule()
        self._desk = NoteDesk(configuration, self._spool, self.index, self.dispatch, self._client)

    def run(self) -> None:
        """Work until the process ends."""
        self._heartbeat.register()
        self._audit.record(APPLICATION_ACTIVITY)
        self._spool.discard_unfinished()
        self._analyst.discard_partial(self._configuration.host_id)
        self._analyst.engines.start()
        jobs = DbosJobs(
            database_url=_jobs_url(self._configuration),
            host_id=self._configuration.host_id,
            analyses=self._analyst.engines.at_once,
            deliveries=DELIVERIES_AT_ONCE * max(len(self._configuration.destination), 1),
        )
        jobs.start(self.analyze, self.deliver)
        self._jobs = jobs
        hosts, storage = self._configuration.hosts, self._configuration.storage
        loops = [
            (self.take_in, DRAIN_SECONDS),
            (self.look, self._configuration.completeness.poll_seconds),
            (self.sweep, SWEEP_SECONDS),
            (self.beat, hosts.heartbeat_seconds),
            (self._retention.sweep, storage.sweep_seconds),
            (self._priors.look, SWEEP_SECONDS),
            (self.answer, SWEEP_SECONDS),
            (self.tidy, TIDY_SECONDS),
        ]
        threads = [
            threading.Thread(target=_repeat, args=loop, name=loop[0].__name__) for loop in loops
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def take_in(self) -> None:
        """Empty the watched folder, the spool and the notes, in this order.

        A commitment request is answered only after everything received before it is in the
        index, hence the list is taken first.
        """
        requests = self._desk.list_requests()
        self._watch.collect()
        self._inbox.drain()
        self._desk.enter_reports()
        self._desk.release_requests(requests)

    def answer(self) -> None:
        """Answer commitment requests."""
        self._desk.answer_requests()

    def look(self) -> None:
        """Make jobs of complete studies, unless an operator has paused that."""
        if self.index.read_switch("paused") != "yes":
            self._completeness.look()

    def sweep(self) -> None:
        """Ask for all work that should exist; asking twice is harmless."""
        if self._jobs is None or self.index.read_switch("paused") == "yes":
            return
        asks = {**self._wish_analyses(self._jobs), **self._wish_deliveries(self._jobs)}
        for wish in self._schedule.pick(list(asks), self._ahead):
            asks[wish]()
        for job_id in self.ledger.list_settleable():
            self.ledger.settle(job_id)

    def tidy(self) -> None:
        """Keep the queue's tables and what crashed senders left from growing for ever."""
        self._spool.discard_unfinished()
        if self._jobs is not None:
            self._jobs.forget_done(older_than_seconds=KEEP_DONE_SECONDS)

    def _wish_analyses(self, jobs: Jobs) -> dict[Wish, Callable[[], None]]:
        """Analyses that should run: those under way, then by priority, then the oldest."""
        rows = self.ledger.list_jobs(states=(JobState.QUEUED, JobState.ANALYZING))
        rows.sort(key=lambda r: (r["state"] != JobState.ANALYZING, r["priority"], r["created_at"]))
        wishes: dict[Wish, Callable[[], None]] = {}
        for row in rows:
            if self._may_start(row):
                work_id = f"analysis.{row['job_id']}.{row['run']}.{row['failures']}"
                ask = partial(
                    jobs.ask_for_analysis, work_id, row["job_id"], priority=row["priority"]
                )
                wishes[Wish(work_id, ANALYSIS, self._analysis_pause(row))] = ask
        return wishes

    def _wish_deliveries(self, jobs: Jobs) -> dict[Wish, Callable[[], None]]:
        """Deliveries that should be tried, fewest failures first; a lane per destination."""
        wishes: dict[Wish, Callable[[], None]] = {}
        for row in sorted(
            self.dispatch.list_planned(), key=lambda r: (r["tries"], r["planned_at"])
        ):
            if not self._switches.is_held(row):
                job_id, name = row["job_id"], row["destination"]
                work_id = f"delivery.{job_id}.{name}.{row['run']}.{row['tries']}"
                ask = partial(jobs.ask_for_delivery, work_id, job_id, name)
                wishes[Wish(work_id, f"to {name}", self._courier.pause_before(row))] = ask
        return wishes

    def _ahead(self, lane: str) -> int:
        """How much of a lane is asked for at a time; all hosts ask for the same first ones."""
        if lane == ANALYSIS:
            return max(ANALYSES_AHEAD, 8 * self._analyst.engines.at_once)
        return DELIVERIES_AT_ONCE

    def beat(self) -> None:
        """Say this host is alive; take over the work of hosts that are not."""
        if not self._heartbeat.beat():
            log.critical("Other hosts have taken over this host's work; starting again")
            os._exit(GIVEN_UP_EXIT)
        for host_id in self._heartbeat.find_dead():
            if self._jobs is not None:
                number = self._jobs.take_over(host_id)
                log.warning("Host %s is dead; took over %d pieces of work", host_id, number)
                self._heartbeat.bury(host_id)
                self._analyst.discard_partial(host_id)

    def analyze(self, job_id: str) -> None:
        """Work handler: one analysis."""
        try:
            self._analyst.analyze(job_id)
        except UNREACHABLE:
            raise
        except Exception as error:
            log.exception("Analysis %s met a fault of the node", job_id)
            reason = f"Fault of the node: {type(error).__name__}"
            limit = self._configuration.analysis.attempts
            self.ledger.fail_analysis(job_id, reason, limit=limit)

    def deliver(self, job_id: str, destination: str) -> None:
        """Work handler: one try of one delivery."""
        try:
            self._courier.deliver(job_id, destination)
        except UNREACHABLE:
            raise
        except Exception as error:
            log.exception("Delivery of %s met a fault of the node", job_id)
            row = self.dispatch.find_delivery(job_id, destination)
            settings = self._configuration.find_destination(destination)
            if row is not None and settings is not None:
                reason = f"Fault of the node: {type(error).__name__}"
                self._courier.note_failure(row, settings, reason)

    def _may_start(self, job: Row) -> bool:
        """Neither switched off nor waiting for priors."""
        if not self._switches.may_start(job):
            return False
        return not self._priors.is_awaited(job["study_uid"], job["rule"], job["created_at"])

    def _analysis_pause(self, job: Row) -> float:
        if not job["failures"]:
            return 0.0
        return float(
            min(self._configuration.analysis.retry_seconds * 2.0 ** (job["failures"] - 1), 3600.0)
        )

    def _count_series(self, study_uid: str) -> dict[str, int]:
        name = self._configuration.completeness.count_peer
        return self._client.count_series(self._configuration.find_peer(name), study_uid)


def _jobs_url(configuration: Configuration) -> str:
    """DBOS keeps its own SQLite file, so that long queue polls never lock the index."""
    if configuration.storage.database:
        return configuration.storage.database
    return f"sqlite:///{configuration.storage.folder / 'jobs.sqlite'}"


def _repeat(work: Callable[[], object], pause_seconds: float) -> None:
    """Repeat for ever; an unreachable database or a full disk is waited out."""
    while True:
        try:
            work()
        except (sa.exc.SQLAlchemyError, OSError, NodeError):
            log.exception("%s could not be done; trying again", work.__name__)
            time.sleep(1.0)
        except Exception:
            log.critical("%s met a fault of the node", work.__name__, exc_info=True)
            os._exit(FAULT_EXIT)
        time.sleep(pause_seconds)
