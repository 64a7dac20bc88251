"""Bars for people, lines for programs."""

import io
import json

from engine.cli.events import BarReporter, JsonLineReporter
from engine.errors import UnreadableStudyError


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Advances only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bar_shows_stage_fraction_and_time_left() -> None:
    stream, clock = Terminal(), Clock()
    bar = BarReporter(stream, clock)
    bar.progress("segmentation", 0.0)
    clock.now = 10.0
    bar.progress("segmentation", 0.25, "window 2 of 8")
    last = stream.getvalue().rsplit("\r", 1)[-1]
    assert "segmentation" in last
    assert "25%" in last
    assert "30 s left" in last
    assert "window 2 of 8" in last


def test_a_finished_stage_keeps_its_line() -> None:
    stream, clock = Terminal(), Clock()
    bar = BarReporter(stream, clock)
    bar.progress("series", 0.0)
    clock.now = 1.5
    bar.progress("series", 1.0)
    assert stream.getvalue().endswith("\n")
    assert "1.5 s" in stream.getvalue()


def test_without_a_terminal_only_finished_stages_are_printed() -> None:
    stream = io.StringIO()
    bar = BarReporter(stream, Clock())
    for fraction in (0.0, 0.3, 0.6, 1.0):
        bar.progress("lesions", fraction)
    assert len(stream.getvalue().splitlines()) == 1
    assert "\r" not in stream.getvalue()


def test_an_error_is_one_line() -> None:
    stream = io.StringIO()
    BarReporter(stream).error(UnreadableStudyError("Nothing readable in study"))
    assert stream.getvalue() == "hepatocast: UnreadableStudyError: Nothing readable in study\n"


def test_json_lines_are_one_object_each() -> None:
    stream = io.StringIO()
    lines = JsonLineReporter(stream)
    lines.progress("volume", 0.123456, "slice 3")
    lines.error(UnreadableStudyError("a\nb"))
    lines.event("result", path="out", files=[])
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert events[0] == {
        "event": "progress", "stage": "volume", "fraction": 0.1235, "text": "slice 3"
    }  # fmt: skip
    assert events[1] == {"event": "error", "kind": "UnreadableStudyError", "message": "a\nb"}
    assert events[2]["event"] == "result"
