"""The engine in its own process: JSON lines out, closed standard input means cancel."""

import ctypes
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dicom_node.errors import EngineRunError

log = logging.getLogger(__name__)

EXIT_RESULT, EXIT_NOT_ANALYZED = 0, 3
MAXIMUM_LINE = 1 << 20
GRACE_SECONDS = 5.0
COMPLAINT_BYTES, COMPLAINT_LINES = 8192, 20

ReportProgress = Callable[[str, float], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOutcome:
    """How a run ended: "result" or "not-analyzed" (then with the reason)."""

    outcome: str
    reason: str = ""


class EngineCancelledError(EngineRunError):
    """The run was stopped because its result is no longer wanted."""


def run_engine(
    command: Sequence[str], *, timeout_seconds: float, report: ReportProgress
) -> EngineOutcome:
    """Run the engine to its end.

    Args:
        command: Program and arguments.
        timeout_seconds: Longest run.
        report: Called with stage and fraction, at least every second; False cancels.

    Raises:
        EngineCancelledError: ``report`` said so.
        EngineRunError: It failed, crashed, hung or spoke no protocol.
    """
    complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed when logged)
    try:
        process = subprocess.Popen(  # noqa: S603  (the operator's own configured command)
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
    except OSError as error:
        complaints.close()
        raise EngineRunError(f"The engine cannot be started: {error.strerror}") from error
    try:
        last = _follow(process, timeout_seconds, report)
        code = process.wait(timeout=GRACE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise EngineRunError("The engine closed its output and did not end") from error
    finally:
        _end(process)
        _log_complaints(complaints)
    return _judge(last, code)


def _log_complaints(complaints: IO[bytes]) -> None:
    """Log the last lines of the engine's standard error, which carries no PHI by contract."""
    with complaints:
        complaints.seek(max(complaints.tell() - COMPLAINT_BYTES, 0))
        for line in complaints.read().decode("utf-8", "replace").splitlines()[-COMPLAINT_LINES:]:
            log.warning("engine: %s", line)


def _die_with_parent() -> None:
    """PR_SET_PDEATHSIG: a worker killed by -9 takes its engine along."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _follow(
    process: "subprocess.Popen[bytes]", timeout_seconds: float, report: ReportProgress
) -> dict[str, Any]:
    """Read events until the output ends; the last one that is not progress."""
    if process.stdout is None:
        raise EngineRunError("The engine has no output")
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
    deadline = time.monotonic() + timeout_seconds
    last: dict[str, Any] = {}
    stage, fraction = "starting", 0.0
    while True:
        try:
            line = lines.get(timeout=1.0)
        except queue.Empty:
            line = b"\n"
        if not line:
            return last
        if line.strip():
            event = _parse(line)
            if event.get("event") == "progress":
                stage, fraction = str(event.get("stage", "")), float(event.get("fraction", 0.0))
            else:
                last = event
        if not report(stage, fraction):
            raise EngineCancelledError("The result is no longer wanted")
        if time.monotonic() > deadline:
            raise EngineRunError(f"The engine took longer than {timeout_seconds:g} s")


def _pump(stream: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
    while line := stream.readline(MAXIMUM_LINE):
        lines.put(line)
    lines.put(b"")


def _parse(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError as error:
        raise EngineRunError("The engine wrote a line that is not JSON") from error
    if not isinstance(event, dict):
        raise EngineRunError("The engine wrote a line that is not a JSON object")
    return event


def _judge(last: dict[str, Any], code: int) -> EngineOutcome:
    kind = last.get("event")
    if code == EXIT_RESULT and kind == "result":
        return EngineOutcome(outcome="result")
    if code == EXIT_NOT_ANALYZED and kind == "not-analyzed":
        return EngineOutcome(outcome="not-analyzed", reason=str(last.get("reason", "")))
    if kind == "error":
        raise EngineRunError(f"{last.get('kind', 'error')}: {last.get('message', '')}")
    how = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"
    raise EngineRunError(f"The engine {how} without a result")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Cancel by closing standard input; kill the process group when that does not help."""
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is None:
        try:
            process.wait(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _kill_group(process.pid)
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        log.debug("The engine had ended already")


def build_command(
    base: Sequence[str], study: Path, out: Path, options: dict[str, str]
) -> list[str]:
    """The engine's command line; options with an empty value are left out."""
    command = [*base, str(study), "--out", str(out), "--json-lines"]
    for name, value in options.items():
        if value:
            command += [f"--{name}", value]
    return command
