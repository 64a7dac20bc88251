"""The engine in its own process; the panel never waits for it (engine/DESIGN.md, 13)."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import qt

from HepatoCastLib.notice import Notice

GRACE_MS = 3000
JOB_PROGRAM = Path(__file__).with_name("job.py")
KEPT_ERROR_CHARACTERS = 4000


class BackgroundRun:
    """One run at a time: JSON lines in, notices out.

    Notices: ``progressed(stage, fraction, text)``, ``logged(line)``, ``told(message)`` for any
    other event of the engine, ``succeeded(folder)``,
    ``failed(message)``, ``canceled()``. Exactly one of the last three ends a run.
    """

    def __init__(self, grace_ms: int = GRACE_MS) -> None:
        self.progressed, self.logged, self.told = Notice(), Notice(), Notice()
        self.succeeded, self.failed, self.canceled = Notice(), Notice(), Notice()
        self._grace_ms = grace_ms
        self._process: Any = None
        self._reset()

    def _reset(self) -> None:
        self._unread = b""
        self._errors = ""
        self._engine_pid = 0
        self._folder: Path | None = None
        self._reason = ""
        self._stopping = False

    @property
    def running(self) -> bool:
        """Whether a process is at work."""
        return self._process is not None

    def start(self, python: str, job_file: Path, environment: dict[str, str]) -> None:
        """Start the job program under a Python that has the engine."""
        self._reset()
        process = self._process = qt.QProcess()
        process.setProcessEnvironment(make_environment(environment))
        process.connect("readyReadStandardOutput()", self._read_lines)
        process.connect("readyReadStandardError()", self._read_errors)
        process.connect("finished(int,QProcess::ExitStatus)", self._finish)
        process.connect("errorOccurred(QProcess::ProcessError)", self._fail_to_start)
        process.start(python, [str(JOB_PROGRAM), str(job_file)])

    def cancel(self) -> None:
        """Close standard input; whoever still works after the grace time is killed."""
        if self._process is None or self._stopping:
            return
        self._stopping = True
        self._process.closeWriteChannel()
        qt.QTimer.singleShot(self._grace_ms, self._kill)

    def stop_now(self, wait_ms: int = 2000) -> None:
        """End the run before the panel goes away; waits briefly, tells nobody."""
        process = self._process
        if process is None:
            return
        self._stopping = True
        process.closeWriteChannel()
        if not process.waitForFinished(wait_ms):
            self._kill()
            process.waitForFinished(wait_ms)

    def _kill(self) -> None:
        """Kill the engine itself: PythonSlicer is a launcher, killing it leaves its child."""
        if self._process is None or not self._stopping:
            return
        if self._engine_pid:
            try:
                os.kill(self._engine_pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            except ProcessLookupError:
                self.logged("The engine had already ended.")
        self._process.kill()

    def _read_lines(self) -> None:
        if self._process is None:
            return
        *lines, self._unread = (
            self._unread + as_bytes(self._process.readAllStandardOutput())
        ).split(b"\n")
        for line in lines:
            self._take(line.decode("utf-8", errors="replace"))

    def _take(self, line: str) -> None:
        try:
            message = json.loads(line)
            event = message["event"]
        except (ValueError, TypeError, KeyError):
            self.logged(line)  # a library talks on standard output
            return
        if event == "started":
            self._engine_pid = int(message["pid"])
        elif event == "progress":
            self.progressed(message["stage"], float(message["fraction"]), message.get("text", ""))
        elif event == "ready":
            self._folder = Path(message["path"])
        elif event == "error":
            self._reason = f"{message['kind']}: {message['message']}"
        elif event == "not-analyzed":
            self._reason = f"Not analyzed: {message['reason']}"
        else:
            self.told(message)

    def _read_errors(self) -> None:
        if self._process is None:
            return
        text = as_bytes(self._process.readAllStandardError()).decode("utf-8", errors="replace")
        self._errors = (self._errors + text)[-KEPT_ERROR_CHARACTERS:]
        for line in text.splitlines():
            self.logged(line)

    def _finish(self, code: int = 0, _status: int = 0) -> None:
        self._read_lines()
        self._read_errors()
        self._release()
        if self._stopping:
            self.canceled()
        elif code == 0 and self._folder is not None:
            self.succeeded(self._folder)
        else:
            last = self._errors.strip().splitlines()[-1:] or [f"the engine ended with code {code}"]
            self.failed(self._reason or last[0])

    def _fail_to_start(self, error: Any) -> None:
        if self._process is not None and error == qt.QProcess.FailedToStart:
            self._release()
            self.failed("The engine's Python cannot be started; check its path below Engine")

    def _release(self) -> None:
        """Let go of the process, but only once its own signal has been delivered."""
        process, self._process = self._process, None
        qt.QTimer.singleShot(0, lambda: process.deleteLater())  # noqa: PLW0108 - keeps it alive


def as_bytes(data: Any) -> bytes:
    """The bytes of a QByteArray, whichever binding made it."""
    content = data.data() if hasattr(data, "data") else data
    return content.encode() if isinstance(content, str) else bytes(content)


def make_environment(variables: dict[str, str]) -> Any:
    """A process environment that holds these variables and no others."""
    environment = qt.QProcessEnvironment()
    for name, value in variables.items():
        environment.insert(name, value)
    return environment


class TimeLeft:
    """How long a stage will still take, judged by how fast it has gone so far."""

    def __init__(self, clock: Any = time.monotonic) -> None:
        self._clock = clock
        self._stage = ""
        self._started = 0.0

    def text(self, stage: str, fraction: float) -> str:
        """Seconds left in words; nothing before they can be told."""
        now = self._clock()
        if stage != self._stage:
            self._stage, self._started = stage, now
        spent = now - self._started
        if not 0.05 < fraction < 1 or spent < 1:
            return ""
        return f"{spent * (1 - fraction) / fraction:.0f} s left"
