"""The service: children come back, a lack of processes is waited out, doors stop first."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dicom_node import service
from tests.dicom_node.testbed import wait_until

ROOT = Path(__file__).parents[2]


def test_a_child_that_ends_is_started_again_after_a_growing_pause() -> None:
    child = service._Child("worker", [sys.executable, "-c", "raise SystemExit(1)"])
    child.tend(0.0)
    assert child.process is not None
    child.process.wait(30)
    child.tend(1.0)
    assert child.process is None
    child.tend(1.0 + service.FIRST_PAUSE - 0.01)
    assert child.process is None
    child.tend(1.0 + service.FIRST_PAUSE)
    assert child.process is not None
    child.process.wait(30)
    child.tend(2.0)
    child.tend(2.0 + service.FIRST_PAUSE)
    assert child.process is None


def test_a_child_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process left on the machine: the parent stays, and so do its other children."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    child = service._Child("worker", [sys.executable, "-c", ""])
    monkeypatch.setattr(service.subprocess, "Popen", fail)
    child.tend(0.0)
    assert child.process is None
    monkeypatch.undo()
    child.tend(service.FIRST_PAUSE)
    assert child.process is not None
    child.process.wait(30)


def test_the_worker_is_stopped_after_the_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    class Process:
        def __init__(self, role: str) -> None:
            self.role = role

        def terminate(self) -> None:
            order.append(f"stop {self.role}")

        def wait(self, _seconds: float) -> None:
            order.append(f"gone {self.role}")

    children = [service._Child(role, []) for role in ("worker", "listener", "dashboard")]
    for child in children:
        child.process = Process(child.role)  # type: ignore[assignment]
    service.stop_children(children)
    assert order[-2:] == ["stop worker", "gone worker"]
    assert order.index("gone listener") < order.index("stop worker")


def test_a_child_dies_with_a_parent_that_is_killed_even_while_it_starts(tmp_path: Path) -> None:
    """Else an orphan would hold the port of the next life."""
    program = (
        "import os, sys, time\n"
        "from dicom_node.service import _Child\n"
        "child = _Child('x', [sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "child.tend(0.0)\n"
        "print(child.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        started = time.monotonic()
        wait_until(lambda: is_gone(pid), seconds=20, what="the child is gone")
        assert time.monotonic() - started < 20


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"
