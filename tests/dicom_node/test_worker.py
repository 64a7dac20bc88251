"""The worker's loops: what is asked for, in which order, and what survives a fault."""

import time
from pathlib import Path
from typing import NoReturn

import pytest
import sqlalchemy as sa

from dicom_node import worker as worker_module
from dicom_node.delivery import paused_until_try
from dicom_node.errors import PeerError
from dicom_node.ledger import ResultObject
from dicom_node.schedule import Schedule
from dicom_node.settings import Rule
from dicom_node.worker import ANALYSES_AHEAD, DELIVERIES_AT_ONCE, FAULT_EXIT, Worker
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.test_completeness import Clock, arrive


class RecordedJobs:
    """Notes what is asked for."""

    def __init__(self) -> None:
        self.analyses: list[str] = []
        self.deliveries: list[tuple[str, str]] = []

    def ask_for_analysis(self, work_id: str, job_id: str, *, priority: int) -> None:
        assert work_id.startswith(f"analysis.{job_id}.")
        assert priority > 0
        self.analyses.append(job_id)

    def ask_for_delivery(self, work_id: str, job_id: str, destination: str) -> None:
        assert work_id.startswith(f"delivery.{job_id}.{destination}.")
        self.deliveries.append((job_id, destination))

    def take_over(self, host_id: str) -> int:
        return 0

    def forget_done(self, *, older_than_seconds: float) -> int:
        return 0


@pytest.fixture
def jobs() -> RecordedJobs:
    return RecordedJobs()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(tmp_path: Path, jobs: RecordedJobs, clock: Clock) -> Worker:
    configuration = build_configuration(
        tmp_path / "state",
        analysis={"command": ["engine"], "retry_seconds": 30},
        peer=[{"name": n, "ae_title": n.upper(), "host": "127.0.0.1", "port": 9} for n in "ab"],
        destination=[
            {"name": n, "peer": n, "first_retry_seconds": 10, "give_up_days": 7} for n in "ab"
        ],
    )
    made = Worker(configuration)
    made._jobs = jobs
    made._schedule = Schedule(clock=clock)
    return made


def queue(worker: Worker, number: int, priority: int = 100) -> str:
    study = f"1.2.{number}"
    arrive(worker.index, 1, study=study)
    rows = worker.index.list_instances(study)
    rule = Rule(name="r", priority=priority)
    job = worker.ledger.create_job(study, rows, rule, {"text": ""}, seen_instances=1)
    assert job is not None
    return job


def finish(worker: Worker, job: str) -> None:
    worker.ledger.start_analysis(job, "h")
    result = ResultObject(sop_instance_uid=job, sop_class_uid="1.2", kind="SR", name="sr.dcm")
    worker.ledger.finish_analysis(
        job, outcome="result", reason="", results=[result], destinations=["a", "b"]
    )


def test_work_is_asked_for_by_priority_then_by_age(worker: Worker, jobs: RecordedJobs) -> None:
    first, second, urgent = queue(worker, 1), queue(worker, 2), queue(worker, 3, priority=5)
    worker.sweep()
    assert jobs.analyses == [urgent, first, second]
    worker.sweep()
    assert len(jobs.analyses) == 3


def test_a_backlog_is_asked_for_piece_by_piece(worker: Worker, jobs: RecordedJobs) -> None:
    made = [queue(worker, number) for number in range(ANALYSES_AHEAD + 5)]
    worker.sweep()
    assert jobs.analyses == made[:ANALYSES_AHEAD]
    worker.ledger.cancel(made[0])
    worker.sweep()
    assert jobs.analyses == made[: ANALYSES_AHEAD + 1]


def test_a_failed_analysis_pauses_by_no_clock_that_can_jump(
    worker: Worker, jobs: RecordedJobs, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = queue(worker, 1)
    worker.sweep()
    worker.ledger.start_analysis(job, "h")
    worker.ledger.fail_analysis(job, "out of memory", limit=3)
    for hours in (+5, -5):
        moment = time.time() + hours * 3600
        monkeypatch.setattr("time.time", lambda moment=moment: moment)
        worker.sweep()
        assert jobs.analyses == [job]
    clock.seconds = 29
    worker.sweep()
    assert jobs.analyses == [job]
    clock.seconds = 31
    worker.sweep()
    assert jobs.analyses == [job, job]


def test_a_destination_that_hangs_leaves_the_other_its_senders(
    worker: Worker, jobs: RecordedJobs
) -> None:
    made = [queue(worker, number) for number in range(10)]
    for job in made:
        finish(worker, job)
    worker.sweep()
    assert len(jobs.deliveries) == 2 * DELIVERIES_AT_ONCE
    for job, name in jobs.deliveries:
        if name == "b":
            worker.dispatch.end_delivery(job, name, "delivered", "stored")
    before = len(jobs.deliveries)
    worker.sweep()
    assert [name for _, name in jobs.deliveries[before:]] == ["b"] * DELIVERIES_AT_ONCE


def test_a_jump_of_the_clock_gives_no_delivery_up(worker: Worker) -> None:
    """Seven days of patience are seven days of pauses, not of wall clock."""
    job = queue(worker, 1)
    finish(worker, job)
    destination = worker._configuration.find_destination("a")
    assert destination is not None
    with worker.index.engine.begin() as connection:
        connection.exec_driver_sql("update deliveries set planned_at = planned_at - 1e7")
    row = worker.dispatch.find_delivery(job, "a")
    assert row is not None
    worker._courier.note_failure(row, destination, "no connection")
    after = worker.dispatch.find_delivery(job, "a")
    assert after is not None
    assert (after["state"], after["tries"]) == ("planned", 1)
    assert paused_until_try(170, destination) < 7 * 86400 < paused_until_try(180, destination)


def test_nothing_is_asked_for_while_paused(worker: Worker, jobs: RecordedJobs) -> None:
    queue(worker, 1)
    worker.index.set_switch("paused", "yes")
    worker.sweep()
    assert jobs.analyses == []


@pytest.mark.parametrize(
    "error", [KeyError("odd"), sa.exc.IntegrityError("insert", {}, Exception("twice"))]
)
def test_a_fault_of_the_node_counts_against_the_job_and_ends_in_the_dead_letters(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    job = queue(worker, 1)

    def fail(_job: str) -> None:
        raise error

    monkeypatch.setattr(worker._analyst, "analyze", fail)
    for _ in range(worker._configuration.analysis.attempts):
        worker.ledger.start_analysis(job, "h")
        worker.analyze(job)
    found = worker.ledger.find_job(job)
    assert found is not None
    assert (found["state"], found["reason"]) == (
        "dead-letter",
        f"Fault of the node: {type(error).__name__}",
    )


@pytest.mark.parametrize(
    "error",
    [sa.exc.OperationalError("select", {}, Exception("gone")), sa.exc.TimeoutError("pool")],
)
def test_an_unreachable_database_is_the_queues_to_repeat(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(worker._analyst, "analyze", fail)
    monkeypatch.setattr(worker._courier, "deliver", fail)
    with pytest.raises(type(error)):
        worker.analyze("x")
    with pytest.raises(type(error)):
        worker.deliver("x", "a")


def test_a_loop_waits_out_a_full_disk_and_ends_the_process_on_a_defect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that half works is worse than one that starts again."""
    faults: list[Exception] = [OSError(28, "full"), PeerError("away"), ZeroDivisionError()]
    monkeypatch.setattr(worker_module.time, "sleep", lambda _seconds: None)

    def end(code: int) -> NoReturn:
        raise SystemExit(code)

    monkeypatch.setattr(worker_module.os, "_exit", end)

    def work() -> None:
        raise faults.pop(0)

    with pytest.raises(SystemExit) as ended:
        worker_module._repeat(work, 0.0)
    assert ended.value.code == FAULT_EXIT
    assert faults == []
