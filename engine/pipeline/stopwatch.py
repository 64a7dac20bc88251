"""Progress and seconds of each stage."""

from collections.abc import Callable

from engine.values.progress import Progress, StageProgress

Clock = Callable[[], float]


class Stopwatch:
    """Reports progress under the stage's name and keeps each stage's seconds."""

    def __init__(self, progress: StageProgress, clock: Clock) -> None:
        self._progress = progress
        self._clock = clock
        self.seconds: dict[str, float] = {}

    def stage(self, name: str) -> "RunningStage":
        """Start a stage; use as a context manager."""
        return RunningStage(name, self._progress, self._clock, self.seconds)


class RunningStage:
    """One stage between its start and its end."""

    def __init__(
        self, name: str, progress: StageProgress, clock: Clock, seconds: dict[str, float]
    ) -> None:
        self._name, self._progress, self._clock = name, progress, clock
        self._seconds = seconds
        self._fraction = 0.0

    def __enter__(self) -> Progress:
        self._start = self._clock()
        self.report(0.0)
        return self.report

    def report(self, fraction: float, text: str = "") -> None:
        """Pass progress on under the stage's name."""
        self._fraction = fraction
        self._progress(self._name, fraction, text)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        spent = self._clock() - self._start
        self._seconds[self._name] = self._seconds.get(self._name, 0.0) + spent
        if kind is None and self._fraction < 1:
            self.report(1.0)
