"""What the panel does: actions in, view states out. No Qt here."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from HepatoCastLib import history, outputs
from HepatoCastLib.correcting import Review, stage_correction
from HepatoCastLib.errors import PanelError
from HepatoCastLib.installation import Engine
from HepatoCastLib.notice import Notice
from HepatoCastLib.result import Result, read_result
from HepatoCastLib.run import TimeLeft
from HepatoCastLib.staging import Choices, FindFile, stage_job

KEPT_LOG_LINES = 500
# Where each stage ends on the one bar; shares measured on the demo study, CPU.
STAGE_ENDS = {
    "installing": 0.01,
    "series": 0.02,
    "clinical": 0.03,
    "volume": 0.08,
    "correction": 0.10,
    "segmentation": 0.70,
    "lesions": 0.78,
    "radiomics": 0.82,
    "scores": 0.84,
    "prognosis": 0.86,
    "reporting": 0.98,
    "unpacking": 1.0,
}


class Run(Protocol):
    """A run of the engine outside of this process."""

    progressed: Notice
    told: Notice
    logged: Notice
    succeeded: Notice
    failed: Notice
    canceled: Notice

    @property
    def running(self) -> bool:
        """Whether it is at work."""

    def start(self, python: str, job_file: Path, environment: dict[str, str]) -> None:
        """Start the job."""

    def cancel(self) -> None:
        """Ask it to end, then end it."""

    def stop_now(self) -> None:
        """End it before the panel goes away."""


class Pump(Protocol):
    """Carries out steps between the events of the user interface."""

    def __call__(
        self,
        steps: Iterator[None],
        done: Callable[[], None],
        failed: Callable[[PanelError], None],
    ) -> None:
        """Run all steps without blocking, then call one of the two."""


@dataclass(frozen=True, slots=True)
class ViewState:
    """All that the widget shows of a run.

    Attributes:
        busy: Cancel instead of Apply.
        can_apply: Whether Apply does something now.
        hint: Why not, or what it will do.
        status: One line.
        percent: 0..100.
        device: Where the networks ran.
        limits: Intended use and limits of the model behind the result.
        report: PDF of the result in the scene; empty without one.
        log: Latest lines of the engine.
    """

    busy: bool = False
    can_apply: bool = False
    hint: str = "Load or select a CT first"
    status: str = ""
    percent: int = 0
    device: str = ""
    limits: str = ""
    report: str = ""
    log: tuple[str, ...] = ()


class Presenter:
    """Turns clicks into runs and results into nodes; tells ``changed(ViewState)``."""

    def __init__(self, run: Run, pump: Pump, engine: Engine, find_file: FindFile) -> None:
        self.changed, self.shown = Notice(), Notice()
        self.state = ViewState()
        self._run, self._pump, self._engine, self._find_file = run, pump, engine, find_file
        self._volumes: tuple[Any, ...] = ()
        self._used: tuple[Any, ...] = ()
        self._left = TimeLeft()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._previous: tempfile.TemporaryDirectory[str] | None = None
        self._abandoned = False
        run.progressed.connect(self._progress)
        run.logged.connect(self._log)
        run.succeeded.connect(self._show)
        run.failed.connect(self._fail)
        run.canceled.connect(lambda: self._end("Canceled"))

    def select(self, volumes: tuple[Any, ...]) -> None:
        """Take note of the volumes a run would use."""
        if not self.state.busy:
            self._volumes = volumes
        ready = bool(volumes)
        hint = "Segment, measure and report" if ready else "Load or select a CT first"
        self._set(can_apply=ready, hint=hint)

    def apply(self, choices: Choices) -> None:
        """Start a run on the selected volumes."""
        if self.state.busy or not self._volumes:
            return
        self._abandoned = False
        self._used = self._volumes
        folder = self._new_folder()
        self._stage(stage_job(self._used, choices, folder, self._find_file), "images", folder)

    def update(self, segmentation: Any, choices: Choices, review: Review) -> None:
        """Measure again on the segments as they are now; nothing is segmented."""
        if self.state.busy or segmentation is None:
            return
        if review.observer and not review.organization:
            self._set(status="Name the observer's organization, or no observer")
            return
        self._abandoned = False
        self._used = history.volumes_behind(segmentation)
        folder = self._new_folder()
        steps = stage_correction(segmentation, choices, review, folder, self._find_file)
        self._stage(steps, "segments", folder)

    def _stage(self, steps: Iterator[None], what: str, folder: Path) -> None:
        self._set(busy=True, status=f"Preparing the {what}", percent=0, log=())
        self._pump(
            steps,
            lambda: self._start(folder / "job.json"),
            lambda error: self._fail(str(error)),
        )

    def cancel(self) -> None:
        """End the run; the scene stays as it was."""
        if not self.state.busy:
            return
        self._abandoned = True
        self._set(status="Canceling")
        self._run.cancel()

    def close_scene(self) -> None:
        """The scene goes: end the run, forget its nodes."""
        self.cancel()
        self._volumes = ()
        self._set(can_apply=False, hint="Load or select a CT first", device="", report="")

    def clean_up(self) -> None:
        """The panel goes."""
        self._abandoned = True
        self._run.stop_now()
        self._drop(self._folder)
        self._drop(self._previous)
        self._folder = self._previous = None

    def _new_folder(self) -> Path:
        """The result in the scene keeps its folder until another result is shown."""
        self._previous = self._folder
        self._folder = tempfile.TemporaryDirectory(prefix="hepatocast-", ignore_cleanup_errors=True)
        return Path(self._folder.name)

    def _back_to_previous(self) -> None:
        if self._previous is not None:
            self._drop(self._folder)
            self._folder, self._previous = self._previous, None

    @staticmethod
    def _drop(folder: tempfile.TemporaryDirectory[str] | None) -> None:
        if folder is not None:
            folder.cleanup()

    def _start(self, job_file: Path) -> None:
        if self._abandoned:
            self._end("Canceled")
            return
        try:
            python, environment = self._engine.locate()
        except PanelError as error:
            self._fail(str(error))
            return
        self._set(status="Starting the engine")
        self._run.start(python, job_file, environment)

    def _progress(self, stage: str, fraction: float, text: str) -> None:
        words = (stage.capitalize(), f"{fraction:.0%}", text, self._left.text(stage, fraction))
        percent = max(self.state.percent, overall_percent(stage, fraction))
        if not self._abandoned:
            self._set(status=" · ".join(word for word in words if word), percent=percent)

    def _log(self, line: str) -> None:
        self._set(log=(*self.state.log, line)[-KEPT_LOG_LINES:])

    def _show(self, folder: Path) -> None:
        if self._abandoned:
            self._end("Canceled")
            return
        try:
            result = read_result(folder)
        except PanelError as error:
            self._fail(str(error))
            return
        self._set(status="Showing the result", percent=100)
        self._pump(
            chain(outputs.show_result(result, self._used), history.keep_history(result)),
            lambda: self._finish(result),
            lambda error: self._fail(str(error)),
        )

    def _finish(self, result: Result) -> None:
        record = result.record
        device, model = record["device"], record["model"]
        count = len(record["lesions"])
        lesions = "1 lesion" if count == 1 else f"{count or 'No'} lesions"
        report = result.folder / "report.pdf"
        self._set(
            device=" · ".join(filter(None, (device["execution_provider"], device["description"]))),
            limits=" ".join((model["intended_use"], *model["limits"])),
            report=str(report) if report.is_file() else "",
        )
        corrected = "Corrected: " if record.get("revision") else ""
        liver = f"liver {record['liver']['volume_ml']:.0f} mL"
        self._drop(self._previous)
        self._previous = None
        self._end(f"{corrected}{lesions}, {liver}. Research use only.")
        self.shown(result)

    def _fail(self, message: str) -> None:
        self._end("Canceled" if self._abandoned else f"Failed: {message}")

    def _end(self, status: str) -> None:
        self._back_to_previous()
        self._set(busy=False, status=status)

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self.changed(self.state)


def overall_percent(stage: str, fraction: float) -> int:
    """Where a stage's progress stands on the bar of the whole run."""
    names = list(STAGE_ENDS)
    if stage not in STAGE_ENDS:
        return 0
    position = names.index(stage)
    start = STAGE_ENDS[names[position - 1]] if position else 0.0
    return round(100 * (start + fraction * (STAGE_ENDS[stage] - start)))
