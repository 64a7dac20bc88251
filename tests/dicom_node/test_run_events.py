"""What a run has told: the latest word only, and an end that is waited for."""

import threading

import pytest

from dicom_node.run_events import EngineCancelledError, EngineTimeoutError, RunEvents


def test_only_the_latest_progress_is_kept_and_reported() -> None:
    events, told = RunEvents(), []
    for number in range(1000):
        events.take({"event": "progress", "stage": "radiomics", "fraction": number / 1000})
    threading.Timer(0.1, events.close).start()

    def report(stage: str, fraction: float) -> bool:
        told.append((stage, fraction))
        return True

    events.follow(timeout_seconds=30, report=report)
    assert set(told) <= {("radiomics", 0.999)}


def test_the_last_event_is_given_when_the_output_is_over() -> None:
    events = RunEvents()
    events.take({"event": "result"})
    events.take({"event": "progress", "stage": "x", "fraction": "not a number"})
    events.close()
    assert events.follow(timeout_seconds=1, report=lambda *_: True) == {"event": "result"}


def test_a_run_that_is_not_wanted_or_takes_too_long_ends() -> None:
    with pytest.raises(EngineCancelledError):
        RunEvents().follow(timeout_seconds=30, report=lambda *_: False)
    with pytest.raises(EngineTimeoutError, match="longer than 0 s"):
        RunEvents().follow(timeout_seconds=0, report=lambda *_: True)
