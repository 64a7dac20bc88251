"""Progress and seconds of each stage."""

import pytest

from engine.pipeline import Stopwatch


class Ticking:
    """A clock that moves by one second whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_a_stage_reports_its_start_and_end_under_its_name_and_keeps_its_seconds() -> None:
    seen: list[tuple[str, float, str]] = []
    watch = Stopwatch(lambda *event: seen.append(event), Ticking())
    with watch.stage("lesions") as progress:
        progress(0.5, "half")
    assert seen == [("lesions", 0.0, ""), ("lesions", 0.5, "half"), ("lesions", 1.0, "")]
    assert watch.seconds == {"lesions": 1.0}


def test_a_failed_stage_never_claims_to_be_done() -> None:
    seen: list[float] = []
    watch = Stopwatch(lambda _stage, fraction, _text: seen.append(fraction), Ticking())
    with pytest.raises(ValueError, match="broken"), watch.stage("volume"):
        raise ValueError("broken")
    assert seen == [0.0]
    assert watch.seconds == {"volume": 1.0}


def test_a_stage_that_runs_twice_keeps_the_sum_of_its_seconds() -> None:
    watch = Stopwatch(lambda *_: None, Ticking())
    for _ in range(2):
        with watch.stage("series"):
            pass
    assert watch.seconds == {"series": 2.0}
