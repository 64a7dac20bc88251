"""`hepatocast work`: many studies, models loaded once; jobs and events as JSON lines.

Standard input, one object per line::

    {"job": ID, "arguments": [STUDY, "--out", DIR, ...]}    as for `hepatocast analyze`
    {"cancel": ID}

Standard output: ``{"event": "ready"}`` once, then the events of `hepatocast analyze
--json-lines`, each with its ``job``. A job ends with exactly one of ``result``,
``not-analyzed``, ``error`` and ``canceled``; ``refused`` answers a line that is none.
Closing standard input ends the process at once; nothing is half-written, because results
appear by rename.
"""

import argparse
import os
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from engine.cli import analyze
from engine.cli.defects import defect
from engine.cli.events import Reporter
from engine.cli.job import (
    Cancellation,
    EventLines,
    Job,
    JobCanceledError,
    JobLineError,
    JobReporter,
    read_line,
    request_of,
)
from engine.cli.opened_models import WarmModels
from engine.cli.request import DEFAULT_MODEL, DEFAULT_RISK_MODELS, finish, start
from engine.errors import EngineError, InputError
from engine.inference.providers import CPU, Device
from engine.model_package.loading import embedded_models, find_package, load_package

STANDARD_INPUT, STANDARD_OUTPUT, STANDARD_ERROR = 0, 1, 2
LONGEST_LINE = 1 << 20
MAXIMUM_JOBS = 1000
EXIT_CANCELED = 130


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "work",
        help="analyze many studies with models that stay loaded (for programs)",
        description="Takes jobs as JSON lines on standard input, {\"job\": ID, \"arguments\": "
        "[what follows `hepatocast analyze`]} or {\"cancel\": ID}, and tells their progress and "
        "results as JSON lines on standard output. Ends when standard input is closed.",
    )  # fmt: skip
    add = parser.add_argument
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="the one device it owns")
    add("--concurrent", type=int, default=1, metavar="N", help="studies at once")
    add("--batch", type=int, metavar="N", help="most windows of concurrent studies in one run "
        "(default: 1 on the CPU, 4 on an accelerator; a graph with a fixed batch axis takes 1)",
    )  # fmt: skip
    add("--preload", default=DEFAULT_MODEL, metavar="PKG", help="opened before the first job")
    add("--models", type=Path, action="append", default=[], help="further folder of packages")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, reporter: Reporter) -> int:
    """Work until standard input is closed."""
    if arguments.concurrent < 1 or (arguments.batch is not None and arguments.batch < 1):
        reporter.error(EngineError("--concurrent and --batch must be 1 or more"))
        return 2
    lines = EventLines(claim_standard_output())
    models = WarmModels(arguments.device, batch=arguments.batch)
    preload(models, arguments, lines)
    workplace = Workplace(models, arguments.device, lines, concurrent=arguments.concurrent)
    lines.write(event="ready", device=arguments.device, concurrent=arguments.concurrent)
    with open(STANDARD_INPUT, "rb", closefd=False) as stream:
        while line := stream.readline(LONGEST_LINE):
            workplace.take(line)
    if workplace.is_busy:
        os._exit(EXIT_CANCELED)  # a thread inside a native run cannot be asked to end
    return 0


def claim_standard_output() -> IO[str]:
    """Keep standard output for the protocol; whatever else prints goes to standard error."""
    stream = os.fdopen(os.dup(STANDARD_OUTPUT), "w", encoding="utf-8", errors="surrogateescape")
    os.dup2(STANDARD_ERROR, STANDARD_OUTPUT)
    return stream


def preload(models: WarmModels, arguments: argparse.Namespace, lines: EventLines) -> None:
    """Open what studies will ask for; an accelerator also runs once, which loads its kernels.

    A package that cannot be opened is told and left to the jobs, whose errors name it too.
    """
    folders = [*arguments.models, embedded_models()]
    try:
        package = load_package(arguments.preload, search_paths=folders)
        model = models.open_model(package, arguments.device)
        for spec in package.networks:
            session = model.sessions[spec.role]
            if session.device.execution_provider != CPU:
                session.warm_up((1, 1, *spec.patch))
        for name in DEFAULT_RISK_MODELS:
            models.open_risk_package(find_package(name, search_paths=folders))
    except EngineError as error:
        lines.write(event="error", kind=type(error).__name__, message=str(error))


class Workplace:
    """The jobs of this process and the threads that do them."""

    def __init__(
        self, models: WarmModels, device: Device, lines: EventLines, *, concurrent: int
    ) -> None:
        self._models, self._device, self._lines = models, device, lines
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[Job] = SimpleQueue()
        for number in range(concurrent):
            threading.Thread(target=self._work, name=f"job-{number}", daemon=True).start()

    @property
    def is_busy(self) -> bool:
        """Whether a job has not ended yet."""
        with self._lock:
            return bool(self._jobs)

    def take(self, line: bytes) -> None:
        """Take one line of standard input."""
        try:
            wish = read_line(line)
            if isinstance(wish, Cancellation):
                self._cancel(wish.name)
            else:
                self._enter(wish)
        except JobLineError as error:
            self._lines.write(event="refused", message=f"Refused: {error}")

    def _cancel(self, name: str) -> None:
        with self._lock:
            job = self._jobs.get(name)
        if job is not None:  # else it has just ended, and its end was told
            job.canceled.set()

    def _enter(self, job: Job) -> None:
        with self._lock:
            if job.name in self._jobs:
                raise JobLineError(f"job {job.name!r} is under way already")
            if len(self._jobs) >= MAXIMUM_JOBS:
                raise JobLineError(f"{MAXIMUM_JOBS} jobs wait already")
            self._jobs[job.name] = job
        self._waiting.put(job)

    def _work(self) -> None:
        while True:
            job = self._waiting.get()
            reporter = JobReporter(self._lines, job)
            try:
                self._analyze(job, reporter)
            except JobCanceledError:
                reporter.event("canceled")
            except JobLineError as error:
                reporter.error(EngineError(f"The job's arguments cannot be used: {error}"))
            except EngineError as error:
                reporter.error(error)
            except Exception as error:  # noqa: BLE001 - one study's defect must not end the others
                reporter.error(defect(error))
            finally:
                with self._lock:
                    del self._jobs[job.name]
                reporter.tell_end()

    def _analyze(self, job: Job, reporter: JobReporter) -> None:
        request = request_of(job, self._device)
        analysis = start(request, reporter.progress)
        try:
            outcome = finish(analysis, self._models)
        except InputError as error:
            analyze.publish_refusal(analysis, error, reporter)
            return
        files = [analyze.describe(file) for file in outcome.files]
        reporter.event("result", path=str(request.out), files=files)
