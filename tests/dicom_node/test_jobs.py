"""The durable queue itself: real DBOS on SQLite, in processes that may be killed."""

import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAD = """
import os, sys, threading, time
from pathlib import Path
import sqlalchemy as sa
from dicom_node.jobs import DbosJobs
folder = Path(sys.argv[1])
log = open(folder / "log", "a", buffering=1)

def make(analyses=1):
    url = f"sqlite:///{folder / 'jobs.sqlite'}"
    return DbosJobs(database_url=url, host_id="h", analyses=analyses, deliveries=1)

def wait(lines):
    for _ in range(600):
        if len((folder / "log").read_text().splitlines()) >= lines:
            time.sleep(0.7)
            os._exit(0)
        time.sleep(0.05)
    os._exit(1)
"""


def play(folder: Path, body: str) -> tuple[int, list[str]]:
    """Run a program against the folder's queue; its status and what it logged so far."""
    program = HEAD + textwrap.dedent(body)
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=ROOT, timeout=60, check=False
    )
    return done.returncode, (folder / "log").read_text().splitlines()


def test_the_same_work_is_done_once_and_the_urgent_first(tmp_path: Path) -> None:
    status, log = play(
        tmp_path,
        """
        gate, begun = threading.Event(), threading.Event()
        def analyze(job):
            begun.set()
            gate.wait()
            log.write(job + "\\n")
        jobs = make()
        jobs.start(analyze, lambda *a: None)
        jobs.ask_for_analysis("w.first", "first", priority=100)
        begun.wait()  # it holds the one place
        for name, priority in (("low", 500), ("middle", 100), ("urgent", 1)):
            for _ in range(3):
                jobs.ask_for_analysis("w." + name, name, priority=priority)
        gate.set()
        wait(4)
        """,
    )
    assert status == 0
    assert log == ["first", "urgent", "middle", "low"]


def test_work_under_way_at_a_kill_is_done_by_the_next_life(tmp_path: Path) -> None:
    asked = """
        def analyze(job):
            log.write("begun " + job + "\\n")
            os.kill(os.getpid(), 9)
        jobs = make()
        jobs.start(analyze, lambda *a: None)
        jobs.ask_for_analysis("w.a", "a", priority=1)
        time.sleep(30)
    """
    status, log = play(tmp_path, asked)
    assert (status, log) == (-9, ["begun a"])
    status, log = play(
        tmp_path,
        """
        jobs = make()
        jobs.start(lambda job: log.write("done " + job + "\\n"), lambda *a: None)
        wait(2)
        """,
    )
    assert (status, log) == (0, ["begun a", "done a"])


def test_an_unreachable_database_repeats_the_step_and_other_errors_free_the_name(
    tmp_path: Path,
) -> None:
    status, log = play(
        tmp_path,
        """
        tries = {"a": 0, "b": 0}
        def analyze(job):
            tries[job] += 1
            log.write(f"{job} {tries[job]}\\n")
            if job == "a" and tries[job] < 3:
                raise sa.exc.OperationalError("select", {}, Exception("gone"))
            if job == "b" and tries[job] < 2:
                raise ValueError("a defect")
        jobs = make(analyses=2)
        jobs.start(analyze, lambda *a: None)
        for _ in range(8):
            jobs.ask_for_analysis("w.a", "a", priority=1)
            jobs.ask_for_analysis("w.b", "b", priority=1)
            time.sleep(0.4)
        wait(5)
        """,
    )
    assert status == 0
    assert sorted(log) == ["a 1", "a 2", "a 3", "b 1", "b 2"]


def test_work_done_long_ago_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    status, log = play(
        tmp_path,
        """
        jobs = make()
        def analyze(job):
            if job == "busy":
                time.sleep(30)
        jobs.start(analyze, lambda *a: log.write("delivered\\n"))
        jobs.ask_for_analysis("w.busy", "busy", priority=1)
        jobs.ask_for_analysis("w.waiting", "waiting", priority=2)
        jobs.ask_for_delivery("w.d", "job", "pacs")
        while not (folder / "log").read_text():
            time.sleep(0.1)
        time.sleep(1.0)
        log.write(f"{jobs.forget_done(older_than_seconds=3600)}\\n")
        log.write(f"{jobs.forget_done(older_than_seconds=0)}\\n")
        log.write(f"{jobs.forget_done(older_than_seconds=0)}\\n")
        os._exit(0)
        """,
    )
    assert status == 0
    assert log == ["delivered", "0", "1", "0"]
