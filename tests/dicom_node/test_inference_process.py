"""The warm process: many jobs, its crashes, its restarts, and who is to blame."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dicom_node import inference_process
from dicom_node.engine_process import build_command
from dicom_node.errors import EngineRunError
from dicom_node.inference_process import EngineDiedError, InferenceProcess
from dicom_node.run_events import EngineCancelledError, EngineOutcome
from tests.dicom_node.testbed import RECORDED_WORK, make_ct, wait_until, write_files

Start = Callable[..., InferenceProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[InferenceProcess] = []

    def make(behavior: str, **options: object) -> InferenceProcess:
        command = [sys.executable, str(RECORDED_WORK), behavior, "--concurrent", "3"]
        process = InferenceProcess(command, name="cpu", pause_seconds=0.05, **options)  # type: ignore[arg-type]
        process.start()
        started.append(process)
        return process

    yield make
    for process in started:
        process.stop()


def arguments_in(folder: Path, patient: str = "P1") -> list[str]:
    write_files(make_ct(slices=1, patient=patient), folder / "study")
    return build_command([], folder / "study", folder / "out", {"job-id": folder.name})


def run(
    process: InferenceProcess, folder: Path, patient: str = "result", *,
    seconds: float = 30, is_wanted: Callable[[], bool] = lambda: True,
) -> EngineOutcome:  # fmt: skip
    arguments = arguments_in(folder, patient)
    return process.run(
        folder.name, arguments, timeout_seconds=seconds, report=lambda *_: is_wanted()
    )


def test_one_process_serves_many_studies(start: Start, tmp_path: Path) -> None:
    process = start("by-patient")
    assert run(process, tmp_path / "a") == EngineOutcome(outcome="result")
    first = process.pid
    outcome = run(process, tmp_path / "b", "not-analyzed")
    assert outcome == EngineOutcome(outcome="not-analyzed", reason="No eligible series")
    with pytest.raises(EngineRunError, match="DeviceError: out of memory"):
        run(process, tmp_path / "c", "crash")
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda n: run(process, tmp_path / f"d{n}"), range(12)))
    assert {o.outcome for o in outcomes} == {"result"}
    assert process.pid == first


def test_a_death_is_told_to_every_job_and_the_process_comes_back(
    start: Start, tmp_path: Path
) -> None:
    process = start("by-patient")
    with ThreadPoolExecutor(2) as pool:
        victims = [pool.submit(run, process, tmp_path / f"v{n}", "hang") for n in range(2)]
        wait_until(lambda: len(process._runs) == 2, seconds=30, what="both are in it")
        time.sleep(0.2)
        os.kill(process.pid or 0, signal.SIGKILL)
        for victim in victims:
            error = victim.exception(timeout=10)
            assert isinstance(error, EngineDiedError)
            assert "signal 9" in str(error)
            assert (error.alone, error.suspect) == (False, True)
    assert run(process, tmp_path / "after").outcome == "result"


def test_a_study_that_kills_the_process_alone_is_known(start: Start, tmp_path: Path) -> None:
    process = start("by-patient")
    with pytest.raises(EngineDiedError) as died:
        run(process, tmp_path / "a", "die")
    assert died.value.alone


def test_a_canceled_job_ends_and_its_process_lives(start: Start, tmp_path: Path) -> None:
    process = start("by-patient")
    wanted = threading.Event()
    wanted.set()
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(run, process, tmp_path / "a", "hang", is_wanted=wanted.is_set)
        wait_until(lambda: len(process._runs) == 1, seconds=30, what="it runs")
        pid = process.pid
        wanted.clear()
        assert isinstance(job.exception(timeout=15), EngineCancelledError)
    assert run(process, tmp_path / "b").outcome == "result"
    assert process.pid == pid


def test_a_job_that_does_not_notice_is_killed_and_its_neighbor_is_innocent(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference_process, "STOP_SECONDS", 0.3)
    process = start("by-patient")
    with ThreadPoolExecutor(2) as pool:
        neighbor = pool.submit(run, process, tmp_path / "n", "hang")
        wait_until(lambda: len(process._runs) == 1, seconds=30, what="the neighbor runs")
        with pytest.raises(EngineRunError, match="longer than 1 s"):
            run(process, tmp_path / "d", "deaf", seconds=1)
        error = neighbor.exception(timeout=15)
        assert isinstance(error, EngineDiedError)
        assert not error.suspect


def test_a_process_that_never_gets_ready_says_why(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference_process, "START_SECONDS", 3.0)
    process = start("mute")
    with pytest.raises(EngineRunError, match="does not start: DeviceError: no such device"):
        run(process, tmp_path / "a")


def test_a_program_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference_process, "START_SECONDS", 0.5)
    process = InferenceProcess([str(tmp_path / "none")], name="x", pause_seconds=0.01)
    process.start()
    with pytest.raises(EngineRunError, match="cannot be started"):
        run(process, tmp_path / "a")
    process.stop()


def test_a_process_that_keeps_to_no_protocol_is_replaced(start: Start, tmp_path: Path) -> None:
    process = start("by-patient")
    with pytest.raises(EngineDiedError):
        run(process, tmp_path / "a", "chatter")
    assert run(process, tmp_path / "b").outcome == "result"


def test_an_idle_process_is_replaced_after_so_many_jobs(start: Start, tmp_path: Path) -> None:
    process = start("by-patient", recycle_after=2)
    pids = []
    for number in range(5):
        assert run(process, tmp_path / str(number)).outcome == "result"
        pids.append(process.pid)
    assert len(set(pids) - {None}) >= 2


def test_a_report_that_fails_ends_the_job_in_the_process_too(start: Start, tmp_path: Path) -> None:
    """The database went away while progress was told: nothing goes on unwatched."""
    process = start("by-patient")

    def fail() -> bool:
        if process._runs:
            raise ConnectionError("gone")
        return True

    with pytest.raises(ConnectionError):
        run(process, tmp_path / "a", "hang", is_wanted=fail)
    assert run(process, tmp_path / "b").outcome == "result"
    assert process._served == 2
