"""One long-lived engine process per device: models loaded once, restarted after a crash.

``hepatocast work`` takes jobs as JSON lines and tells their events under the job's name.
When the process dies, every job in it ends with ``EngineDiedError``, which says whether that
job was the only one in it. A thread of its own starts the process and stays, because Linux
ends a child with the thread that started it (PR_SET_PDEATHSIG).
"""

import itertools
import json
import logging
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from dicom_node.engine_process import (
    end_group_with_leader,
    how_it_ended,
    kill_group,
    parse_event,
    read_lines,
    start_process,
)
from dicom_node.errors import EngineRunError
from dicom_node.run_events import (
    EngineCancelledError,
    EngineOutcome,
    ReportProgress,
    RunEvents,
)

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 60.0
START_SECONDS = 120.0
STOP_SECONDS = 60.0
"""A canceled study has this long to notice; then the process is killed."""
LONGEST_COMPLAINT = 500
COMPLAINTS_PER_MINUTE = 60


class EngineDiedError(EngineRunError):
    """The process died with the job in it.

    Attributes:
        alone: No other job was in it.
        suspect: The job may be why.
    """

    def __init__(self, message: str, *, alone: bool, suspect: bool) -> None:
        self.alone, self.suspect = alone, suspect
        super().__init__(message)


class InferenceProcess:
    """Keeps one process running and hands jobs to it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        name: str,
        environment: Mapping[str, str] | None = None,
        recycle_after: int = 0,
        pause_seconds: float = FIRST_PAUSE,
    ) -> None:
        """Describe the process; ``start`` starts it.

        Args:
            command: Program and arguments.
            name: For logs and threads.
            environment: Variables beside the node's own.
            recycle_after: After so many jobs a process makes room for a new one; 0: never.
            pause_seconds: Before the first restart; doubles while starts fail.
        """
        self._command, self._name = list(command), name
        self._environment = environment or {}
        self._recycle_after, self._first_pause = recycle_after, pause_seconds
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = self._is_stopping = False
        self._runs: dict[str, RunEvents] = {}
        self._culprit = ""
        self._served = 0
        self._complaint = ""
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Start the process and keep it running; returns at once."""
        threading.Thread(target=self._keep, name=f"inference-{self._name}", daemon=True).start()

    def stop(self) -> None:
        """End the process and do not start it again."""
        with self._changed:
            self._is_stopping = True
            process = self._process
            self._changed.notify_all()
        if process is not None:
            kill_group(process.pid)

    @property
    def pid(self) -> int | None:
        """The running process; None while there is none."""
        with self._changed:
            return self._process.pid if self._process is not None else None

    def run(
        self,
        job_id: str,
        arguments: Sequence[str],
        *,
        timeout_seconds: float,
        report: ReportProgress,
    ) -> EngineOutcome:
        """Have one study analyzed.

        Args:
            job_id: For the name of the job, which is used once.
            arguments: As for ``hepatocast analyze``.
            timeout_seconds: Longest run, without the wait for the process.
            report: Called with stage and fraction, at least every second; False cancels.

        Raises:
            EngineCancelledError: ``report`` said so.
            EngineDiedError: The process ended with this job in it.
            EngineRunError: The job failed, took too long, or no process can be started.
        """
        key, events = f"{job_id}.{next(self._numbers)}", RunEvents()
        process = self._enter(key, events, report)
        self._send(process, {"job": key, "arguments": list(arguments)})
        try:
            return _judge(events.follow(timeout_seconds=timeout_seconds, report=report))
        except EngineDiedError:
            raise
        except BaseException:  # also a database that is away while progress is told
            if not events.wait(0.0):
                self._end_job(process, key, events)
            raise
        finally:
            with self._changed:
                self._runs.pop(key, None)
                self._recycle_if_due()

    def _enter(
        self, key: str, events: RunEvents, report: ReportProgress
    ) -> "subprocess.Popen[bytes]":
        """Wait for the process and enter its books, which ``_bury`` reads under the same lock.

        A study is not to blame for a process that does not start, so it waits; after
        ``START_SECONDS`` it fails with what the process said.
        """
        deadline = time.monotonic() + START_SECONDS
        while True:
            with self._changed:
                if self._is_ready and self._process is not None:
                    self._runs[key] = events
                    return self._process
                if self._is_stopping or time.monotonic() > deadline:
                    why = self._complaint or "it says nothing"
                    raise EngineRunError(f"The inference process does not start: {why}")
                self._changed.wait(1.0)
            if not report("starting", 0.0):
                raise EngineCancelledError("The result is no longer wanted")

    def _send(self, process: "subprocess.Popen[bytes]", line: dict[str, Any]) -> None:
        """Write a line; a process that has died meanwhile tells its jobs when it is buried."""
        with self._writing:
            if process.stdin is None:
                return
            try:
                process.stdin.write(json.dumps(line).encode() + b"\n")
                process.stdin.flush()
            except (OSError, ValueError):
                log.debug("%s: the process went away before it took a line", self._name)

    def _end_job(self, process: "subprocess.Popen[bytes]", key: str, events: RunEvents) -> None:
        """Cancel a job; when it does not notice, kill the process, innocent jobs run again."""
        self._send(process, {"cancel": key})
        if events.wait(STOP_SECONDS):
            return
        log.error("%s: a job does not end; killing the process", self._name)
        with self._changed:
            if self._process is not process:
                return
            self._culprit = key
        kill_group(process.pid)

    def _recycle_if_due(self) -> None:
        """Close the input of a process that has served long enough, when it is empty."""
        is_due = 0 < self._recycle_after <= self._served and not self._runs
        if is_due and self._is_ready and self._process is not None:
            log.info("%s: a new process after %d jobs", self._name, self._served)
            self._is_ready = False
            if self._process.stdin is not None:
                _close(self._process.stdin)

    def _keep(self) -> None:
        """Start, follow, bury, pause; again until stopped."""
        pause = self._first_pause
        while not self._is_stopping:
            started = time.monotonic()
            try:
                process = start_process(self._command, self._environment, subprocess.PIPE)
            except EngineRunError as error:
                self._note_failed_start(str(error))
            else:
                self._follow(process)
            if self._served or time.monotonic() - started > STEADY_SECONDS:
                pause = self._first_pause
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopping, pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _follow(self, process: "subprocess.Popen[bytes]") -> None:
        """Read one process's events to its end, then tell its jobs."""
        with self._changed:
            self._process, self._served = process, 0
        threading.Thread(target=self._log_complaints, args=(process.stderr,), daemon=True).start()
        end_group_with_leader(process)
        try:
            if process.stdout is not None:
                for line in read_lines(process.stdout):
                    self._take(parse_event(line))
        except EngineRunError:
            log.exception("%s: killing the process, which keeps to no protocol", self._name)
            kill_group(process.pid)
        code = process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                _close(stream)
        self._bury(how_it_ended(code))

    def _take(self, event: dict[str, Any]) -> None:
        kind, name = event.get("event"), event.get("job")
        if kind == "ready":
            log.info("%s: the inference process is ready", self._name)
            with self._changed:
                self._is_ready, self._complaint = True, ""
                self._changed.notify_all()
        elif name is None:
            self._complaint = f"{event.get('kind', kind)}: {event.get('message', '')}"
            log.warning("%s: %s", self._name, self._complaint)
            if kind == "refused":
                raise EngineRunError("The process refused a job's line")
        else:
            with self._changed:
                events = self._runs.get(str(name))
                self._served += events is not None and kind != "progress"
            if events is not None:
                events.take(event)
                if kind != "progress":
                    events.close()

    def _bury(self, how: str) -> None:
        """Tell every job of a dead process; none of them is forgotten."""
        with self._changed:
            was_ready, self._is_ready, self._process = self._is_ready, False, None
            died = {key: e for key, e in self._runs.items() if not e.wait(0.0)}
            culprit, self._culprit = self._culprit, ""
            was_recycled = 0 < self._recycle_after <= self._served
            self._changed.notify_all()
        log.log(
            logging.ERROR if died or not was_recycled else logging.INFO,
            "%s: the process %s with %d jobs in it", self._name, how, len(died),
        )  # fmt: skip
        if not (was_ready or was_recycled):
            self._note_failed_start(f"it {how}")
        for key, events in died.items():
            is_alone, is_suspect = len(died) == 1, not culprit or key == culprit
            events.take({"event": "died", "how": how, "alone": is_alone, "suspect": is_suspect})
            events.close()

    def _note_failed_start(self, reason: str) -> None:
        with self._changed:
            self._complaint = self._complaint or reason
        log.error("%s: the inference process does not start: %s", self._name, self._complaint)

    def _log_complaints(self, stream: IO[bytes] | None) -> None:
        """Log standard error, which carries no PHI by contract, at a bounded rate."""
        if stream is None:
            return
        window, number = time.monotonic(), 0
        with stream:
            while line := stream.readline(LONGEST_COMPLAINT):
                if time.monotonic() - window > 60.0:
                    window, number = time.monotonic(), 0
                number += 1
                if number <= COMPLAINTS_PER_MINUTE:
                    log.warning("%s: %s", self._name, line.decode("utf-8", "replace").rstrip())


def _close(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except OSError:
        log.debug("A line was left in the pipe of a dead process")


def _judge(last: dict[str, Any]) -> EngineOutcome:
    """An outcome, or the error the last event tells of."""
    match last.get("event"):
        case "result":
            return EngineOutcome(outcome="result")
        case "not-analyzed":
            return EngineOutcome(outcome="not-analyzed", reason=str(last.get("reason", "")))
        case "canceled":
            raise EngineCancelledError("The result is no longer wanted")
        case "died":
            raise EngineDiedError(
                f"The engine {last['how']} without a result",
                alone=bool(last["alone"]),
                suspect=bool(last["suspect"]),
            )
        case "error":
            raise EngineRunError(f"{last.get('kind', 'error')}: {last.get('message', '')}")
    raise EngineRunError("The engine ended a job without saying how")
