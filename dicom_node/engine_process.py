"""The engine in its own process: JSON lines out, closed standard input means cancel."""

import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from dicom_node.errors import EngineRunError
from dicom_node.run_events import EngineOutcome, ReportProgress, RunEvents

log = logging.getLogger(__name__)

EXIT_RESULT, EXIT_NOT_ANALYZED = 0, 3
MAXIMUM_LINE = 1 << 20
GRACE_SECONDS = 5.0
COMPLAINT_BYTES, COMPLAINT_LINES = 8192, 20


def run_engine(
    command: Sequence[str],
    *,
    timeout_seconds: float,
    report: ReportProgress,
    environment: Mapping[str, str] | None = None,
) -> EngineOutcome:
    """Run the engine to its end.

    Args:
        command: Program and arguments.
        timeout_seconds: Longest run.
        report: Called with stage and fraction, at least every second; False cancels.
        environment: Variables beside the node's own.

    Raises:
        EngineCancelledError: ``report`` said so.
        EngineRunError: It failed, crashed, hung or spoke no protocol.
    """
    with tempfile.TemporaryFile() as complaints:
        process = start_process(command, environment or {}, complaints)
        try:
            events = RunEvents()
            threading.Thread(target=_pump, args=(process, events), daemon=True).start()
            end_group_with_leader(process)
            last = events.follow(timeout_seconds=timeout_seconds, report=report)
            code = process.wait(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise EngineRunError("The engine closed its output and did not end") from error
        finally:
            _end(process)
            _log_complaints(complaints)
    return _judge(last, code)


def start_process(
    command: Sequence[str], environment: Mapping[str, str], complaints: IO[bytes] | int
) -> "subprocess.Popen[bytes]":
    """Start a process that dies with the thread that starts it, a group of its own.

    Raises:
        EngineRunError: It cannot be started.
    """
    try:
        return subprocess.Popen(  # noqa: S603  (the operator's own configured command)
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env={**os.environ, **environment},
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
    except OSError as error:
        raise EngineRunError(f"The engine cannot be started: {error.strerror}") from error


def _log_complaints(complaints: IO[bytes]) -> None:
    """Log the last lines of the engine's standard error, which carries no PHI by contract."""
    complaints.seek(0, os.SEEK_END)
    complaints.seek(max(complaints.tell() - COMPLAINT_BYTES, 0))
    for line in complaints.read().decode("utf-8", "replace").splitlines()[-COMPLAINT_LINES:]:
        log.warning("engine: %s", line)


def _die_with_parent() -> None:
    """PR_SET_PDEATHSIG: a worker killed by -9 takes its engine along."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def end_group_with_leader(process: "subprocess.Popen[bytes]") -> None:
    """When the process ends, end what it has started; else that would hold its output open."""

    def watch() -> None:
        try:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return  # reaped by the thread that waits, after a kill of the group
        kill_group(process.pid)

    if hasattr(os, "waitid"):
        threading.Thread(target=watch, name="engine-watch", daemon=True).start()


def _pump(process: "subprocess.Popen[bytes]", events: RunEvents) -> None:
    """Read events until the output ends or is no protocol."""
    try:
        if process.stdout is not None:
            for line in read_lines(process.stdout):
                events.take(parse_event(line))
    except EngineRunError as error:
        events.take({"event": "error", "kind": "protocol", "message": str(error)})
    except (OSError, ValueError):
        log.debug("The engine's output was closed while it was read")
    finally:
        events.close()


def read_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of bounded length, blank ones left out."""
    while line := stream.readline(MAXIMUM_LINE):
        if line.strip():
            yield line


def parse_event(line: bytes) -> dict[str, Any]:
    """Read one line of the engine's output.

    Raises:
        EngineRunError: It is no JSON object.
    """
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
    raise EngineRunError(f"The engine {how_it_ended(code)} without a result")


def how_it_ended(code: int) -> str:
    """An exit status in words."""
    return f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Cancel by closing standard input; kill the process group when that does not help."""
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is None:
        try:
            process.wait(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            kill_group(process.pid)
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def kill_group(pid: int) -> None:
    """Kill -9 of a process and everything it has started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
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
