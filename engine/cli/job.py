"""One job of `hepatocast work`: its line, its arguments, what it tells."""

import argparse
import json
import threading
from dataclasses import dataclass, field
from typing import IO, Any, NoReturn

from engine.cli import analyze
from engine.cli.request import AnalyzeRequest
from engine.errors import EngineError
from engine.inference.providers import Device

LONGEST_NAME = 200


class JobCanceledError(Exception):
    """The job's result is no longer wanted."""


class JobLineError(Exception):
    """A line is no job, no cancellation, or its arguments are not those of `analyze`."""


@dataclass(slots=True, eq=False)
class Job:
    """A study to analyze.

    Attributes:
        name: Identity among the jobs of this process; every event carries it.
        arguments: As for `hepatocast analyze`.
        canceled: Set when the result is no longer wanted.
    """

    name: str
    arguments: tuple[str, ...]
    canceled: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The wish to end a job."""

    name: str


def read_line(line: bytes) -> Job | Cancellation:
    """Read one line of standard input.

    Raises:
        JobLineError: It is neither a job nor a cancellation.
    """
    try:
        content = json.loads(line)
    except ValueError as error:
        raise JobLineError("a line is not JSON") from error
    if not isinstance(content, dict):
        raise JobLineError("a line is not a JSON object")
    match content:
        case {"job": str(name), "arguments": list(words)} if all(
            isinstance(word, str) for word in words
        ):
            return Job(_checked(name), tuple(words))
        case {"cancel": str(name)}:
            return Cancellation(name)
    raise JobLineError('a line needs "job" and "arguments", or "cancel"')


def _checked(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME:
        raise JobLineError(f'"job" must have 1 to {LONGEST_NAME} characters, got {len(name)}')
    return name


class _Parser(argparse.ArgumentParser):
    """Raises where a command would print and end the process."""

    def error(self, message: str) -> NoReturn:
        raise JobLineError(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise JobLineError(message or f"the arguments ask for status {status}, not for a job")


def request_of(job: Job, device: Device) -> AnalyzeRequest:
    """The job's arguments, read by the parser of `hepatocast analyze`.

    Args:
        job: The job.
        device: Taken when the arguments name none.

    Raises:
        JobLineError: `hepatocast analyze` would refuse them.
    """
    parser: argparse.ArgumentParser = _Parser(prog="job")
    commands = parser.add_subparsers(dest="command")
    analyze.add_parser(commands)
    commands.choices["analyze"].set_defaults(device=device)
    return analyze.request_of(parser.parse_args(["analyze", *job.arguments]))


class EventLines:
    """Writes whole lines from many threads."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, **fields: Any) -> None:  # noqa: ANN401 - JSON values
        """One object, one line, at once."""
        line = json.dumps(fields, ensure_ascii=False)
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()


class JobReporter:
    """Tells under the job's name; progress is where a cancellation takes effect.

    The end is held back until ``tell_end``, so that it comes exactly once and after the job
    has left the process's books.
    """

    def __init__(self, lines: EventLines, job: Job) -> None:
        self._lines, self._job = lines, job
        self._end: dict[str, Any] = {}

    def progress(self, stage: str, fraction: float, text: str = "") -> None:
        """A stage got further.

        Raises:
            JobCanceledError: The job was canceled meanwhile.
        """
        if self._job.canceled.is_set():
            raise JobCanceledError(self._job.name)
        told = {"stage": stage, "fraction": round(fraction, 4), "text": text}
        self._lines.write(event="progress", job=self._job.name, **told)

    def error(self, error: EngineError) -> None:
        """The job ended with an error."""
        self.event("error", kind=type(error).__name__, message=str(error))

    def event(self, name: str, **fields: Any) -> None:  # noqa: ANN401 - JSON values
        """How the job ended."""
        self._end = {"event": name, "job": self._job.name, **fields}

    def tell_end(self) -> None:
        """Write the end."""
        self._lines.write(**self._end)
