"""The service: one parent that keeps the listener, the worker and the dashboard running.

The processes share nothing but disk and database, so each may crash alone: a crashed
worker never costs an association, a crashed dashboard never costs a delivery.
"""

import ctypes
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from dicom_node.settings import Configuration

log = logging.getLogger(__name__)

ROLES = ("listener", "worker", "dashboard", "hl7")
STOP_SECONDS = 10.0
FINISH_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 60.0


class _Child:
    """One process and when to start it again."""

    def __init__(self, role: str, command: list[str]) -> None:
        self.role = role
        self._command = command
        self._pause = FIRST_PAUSE
        self._start_at = 0.0
        self._started_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def tend(self, now: float) -> None:
        """Start when due; notice an end and plan the next start."""
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            if now - self._started_at > STEADY_SECONDS:
                self._pause = FIRST_PAUSE
            log.error("%s ended with %s; next start in %g s", self.role, code, self._pause)
            self._start_at = now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self.process = None
        if now >= self._start_at:
            self._start(now)

    def _start(self, now: float) -> None:
        try:
            self.process = subprocess.Popen(  # noqa: S603  (our own program)
                self._command,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  (this process has one thread)
            )
        except OSError:  # no memory or no process left: the others must go on
            log.exception("%s cannot be started; next try in %g s", self.role, self._pause)
            self._start_at = now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            return
        self._started_at = now


def serve(configuration: Configuration, path: Path, *, roles: tuple[str, ...] = ROLES) -> int:
    """Run until SIGTERM or SIGINT; every child that ends is started again."""
    wanted = [r for r in roles if _is_wanted(configuration, r)]
    names = [r for r in wanted for _ in range(_count(configuration, r))]
    base = [sys.executable, "-m", "dicom_node.cli", "--config", str(path), "run"]
    children = [_Child(role, [*base, role]) for role in names]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(0.2):
        for child in children:
            child.tend(time.monotonic())
    stop_children(children)
    return 0


def stop_children(children: list[_Child]) -> None:
    """End the doors, then the worker, so that what they still take in finds one."""
    _stop([child for child in children if child.role != "worker"])
    _stop([child for child in children if child.role == "worker"])


def _stop(children: list[_Child]) -> None:
    """Ask processes to end, all at once; kill those that do not."""
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_wanted(configuration: Configuration, role: str) -> bool:
    if role == "dashboard":
        return configuration.dashboard.enabled
    return role != "hl7" or configuration.clinical.hl7.port > 0


def _count(configuration: Configuration, role: str) -> int:
    return configuration.listener.processes if role == "listener" else 1


def run_role(configuration: Configuration, role: str) -> int:
    """Be one of the processes."""
    _die_with_parent()
    runners: dict[str, Callable[[Configuration], int]] = {
        "listener": _run_listener,
        "worker": _run_worker,
        "dashboard": _run_dashboard,
        "hl7": _run_hl7,
    }
    return runners[role](configuration)


def _die_with_parent() -> None:
    """A service killed by -9 must not leave a listener behind that holds the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _run_listener(configuration: Configuration) -> int:
    from dicom_node.listener import Listener  # noqa: PLC0415  (each role loads its own parts)

    listener = Listener(configuration)
    listener.bind()
    signal.signal(signal.SIGTERM, lambda *_: listener.stop())
    gc.freeze()
    log.info("Listening on port %d", listener.port)
    thread = threading.Thread(target=listener.serve)
    thread.start()
    thread.join()
    listener.finish_associations(FINISH_SECONDS)
    return 0


def _run_worker(configuration: Configuration) -> int:
    from dicom_node.worker import Worker  # noqa: PLC0415  (each role loads its own parts)

    # Crash-only: stopping is the same as being killed, so there is one way to come back.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    Worker(configuration).run()
    return 0


def _run_dashboard(configuration: Configuration) -> int:
    from dicom_node.dashboard.server import run_dashboard  # noqa: PLC0415

    return run_dashboard(configuration)


def _run_hl7(configuration: Configuration) -> int:
    from dicom_node.clinical_source.hl7_service import run_hl7  # noqa: PLC0415

    return run_hl7(configuration)
