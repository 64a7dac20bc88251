"""How the node runs the engine: a process per study, or one warm process per device."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from dicom_node.engine_process import run_engine
from dicom_node.errors import EngineRunError
from dicom_node.inference_process import EngineDiedError, InferenceProcess
from dicom_node.places import NoLongerWantedError, Places
from dicom_node.run_events import EngineCancelledError, EngineOutcome, ReportProgress
from dicom_node.settings import Analysis

log = logging.getLogger(__name__)

WARM, FRESH = "warm", "fresh"
INNOCENT_REPEATS = 10
"""A study whose process is killed by others this often is counted a failure all the same."""


class Engines(Protocol):
    """Runs studies on the configured devices."""

    @property
    def at_once(self) -> int:
        """Studies that run at the same time."""

    def start(self) -> None:
        """Get ready; returns at once."""

    def run(self, job_id: str, arguments: Sequence[str], report: ReportProgress) -> EngineOutcome:
        """Analyze one study.

        Args:
            job_id: The job.
            arguments: As for ``hepatocast analyze``, without the device.
            report: Called with stage and fraction, at least every second; False cancels.

        Raises:
            EngineCancelledError: ``report`` said so.
            EngineRunError: It failed; the failure counts.
        """


def make_engines(settings: Analysis) -> Engines:
    """The engines the configuration asks for."""
    return WarmEngines(settings) if settings.process == WARM else FreshEngines(settings)


def name_device(device: str) -> tuple[str, dict[str, str]]:
    """The engine's word for a device, and the environment that makes it that one.

    ``cuda:1`` is the second NVIDIA GPU: the process sees no other (CUDA_VISIBLE_DEVICES).
    """
    kind, _, number = device.partition(":")
    return kind, {"CUDA_VISIBLE_DEVICES": number} if number else {}


class FreshEngines:
    """A process of its own for every study, one study per device at a time."""

    def __init__(self, settings: Analysis) -> None:
        self._settings = settings
        self._places = Places(settings.devices, 1)

    @property
    def at_once(self) -> int:
        """Studies that run at the same time."""
        return self._places.count

    def start(self) -> None:
        """Nothing is kept ready."""

    def run(self, job_id: str, arguments: Sequence[str], report: ReportProgress) -> EngineOutcome:
        """Analyze one study in a process of its own."""
        with _place(self._places, report, alone=False) as number:
            device, environment = name_device(self._settings.devices[number])
            return run_engine(
                [*self._settings.command, *arguments, "--device", device],
                timeout_seconds=self._settings.timeout_seconds,
                report=report,
                environment=environment,
            )


class WarmEngines:
    """One process per device; several studies in it at once.

    When a process dies with several studies in it, each of them is run again with a device
    to itself, so that the one that kills processes is found; only its own deaths count.
    """

    def __init__(self, settings: Analysis) -> None:
        self._settings = settings
        self._places = Places(settings.devices, settings.studies_per_device)
        self._processes = [
            InferenceProcess(
                self._command(device),
                name=f"{device} ({number + 1})",
                environment=name_device(device)[1],
                recycle_after=settings.recycle_after_studies,
            )
            for number, device in enumerate(settings.devices)
        ]
        self._suspects: set[str] = set()

    def _command(self, device: str) -> list[str]:
        settings = self._settings
        command = [*settings.warm_command, "--device", name_device(device)[0]]
        command += ["--concurrent", str(settings.studies_per_device)]
        if settings.windows_per_run:
            command += ["--batch", str(settings.windows_per_run)]
        if settings.model:
            command += ["--preload", settings.model]
        return command

    @property
    def at_once(self) -> int:
        """Studies that run at the same time."""
        return self._places.count

    @property
    def pids(self) -> list[int]:
        """The running processes."""
        return [p.pid for p in self._processes if p.pid is not None]

    def start(self) -> None:
        """Start every device's process, so that models are loaded before the first study."""
        for process in self._processes:
            process.start()

    def stop(self) -> None:
        """End every process."""
        for process in self._processes:
            process.stop()

    def run(self, job_id: str, arguments: Sequence[str], report: ReportProgress) -> EngineOutcome:
        """Analyze one study in a warm process; again when others took the process down."""
        for _ in range(INNOCENT_REPEATS):
            try:
                outcome = self._run_once(job_id, arguments, report)
            except EngineDiedError as error:
                if error.suspect:
                    self._suspects.add(job_id)
                if error.alone:
                    raise
                log.warning("Analysis %s runs again: its process died, others in it", job_id)
            else:
                self._suspects.discard(job_id)
                return outcome
        raise EngineRunError(f"The process died {INNOCENT_REPEATS} times with this study in it")

    def _run_once(
        self, job_id: str, arguments: Sequence[str], report: ReportProgress
    ) -> EngineOutcome:
        with _place(self._places, report, alone=job_id in self._suspects) as number:
            device, _ = name_device(self._settings.devices[number])
            return self._processes[number].run(
                job_id,
                [*arguments, "--device", device],
                timeout_seconds=self._settings.timeout_seconds,
                report=report,
            )


@contextmanager
def _place(places: Places, report: ReportProgress, *, alone: bool) -> Iterator[int]:
    """A place on a device; a study withdrawn while it waits is canceled."""
    try:
        with places.take(alone=alone, is_wanted=lambda: report("waiting", 0.0)) as number:
            yield number
    except NoLongerWantedError as error:
        raise EngineCancelledError("The result is no longer wanted") from error
