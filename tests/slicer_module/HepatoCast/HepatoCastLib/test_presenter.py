"""The presenter without any Qt: a run and a pump written by hand."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class HandRun:
    """A run whose events the test sends."""

    def __init__(self) -> None:
        from HepatoCastLib.notice import Notice

        self.progressed, self.logged, self.told = Notice(), Notice(), Notice()
        self.succeeded, self.failed, self.canceled = Notice(), Notice(), Notice()
        self.running = False
        self.started: list[Path] = []
        self.cancels = 0

    def start(self, _python: str, job_file: Path, _environment: dict[str, str]) -> None:
        self.running = True
        self.started.append(job_file)

    def cancel(self) -> None:
        self.cancels += 1

    def stop_now(self) -> None:
        self.running = False


class HandEngine:
    """An engine that is always there."""

    def locate(self) -> tuple[str, dict[str, str]]:
        return "python", {}


def pump_at_once(
    steps: Iterator[None], done: Callable[[], None], failed: Callable[[Exception], None]
) -> None:
    """Run all steps now."""
    from HepatoCastLib.errors import PanelError

    try:
        for _ in steps:
            pass
    except PanelError as error:
        failed(error)
    else:
        done()


@pytest.fixture
def run(scene: Any) -> HandRun:
    return HandRun()


@pytest.fixture
def presenter(run: HandRun) -> Iterator[Any]:
    from HepatoCastLib.presenter import Presenter

    made = Presenter(run, pump_at_once, HandEngine(), lambda _uid: "")
    yield made
    made.clean_up()


def test_a_click_starts_one_run_only(presenter: Any, run: HandRun, volume: Any) -> None:
    from HepatoCastLib.staging import Choices

    presenter.select((volume,))
    presenter.apply(Choices())
    presenter.apply(Choices())
    assert len(run.started) == 1


def test_a_plain_volume_travels_as_voxels_with_its_place(
    presenter: Any, run: HandRun, volume: Any
) -> None:
    import numpy as np
    from HepatoCastLib import exchange
    from HepatoCastLib.staging import Choices

    presenter.select((volume,))
    presenter.apply(Choices(clinical_file="values.csv"))
    job = json.loads(run.started[0].read_text())
    assert np.array_equal(np.load(job["voxels"]["file"]), exchange.voxels_of(volume))
    assert job["voxels"]["affine"] == exchange.grid_of(volume).affine.tolist()
    assert job["arguments"][-2:] == ["--clinical", "values.csv"]


def test_two_plain_volumes_are_refused(presenter: Any, run: HandRun, volume: Any) -> None:
    from HepatoCastLib.staging import Choices

    presenter.select((volume, volume))
    presenter.apply(Choices())
    assert presenter.state.status.startswith("Failed: Several phases need DICOM-loaded")
    assert run.started == []


def test_a_result_after_cancel_is_not_shown(presenter: Any, run: HandRun, volume: Any) -> None:
    from HepatoCastLib.staging import Choices

    presenter.select((volume,))
    presenter.apply(Choices())
    presenter.cancel()
    run.succeeded(Path("nowhere"))
    assert run.cancels == 1
    assert presenter.state.status == "Canceled"
    assert not presenter.state.busy


def test_an_incomplete_result_is_a_failure(
    presenter: Any, run: HandRun, volume: Any, tmp_path: Path
) -> None:
    from HepatoCastLib.staging import Choices

    presenter.select((volume,))
    presenter.apply(Choices())
    run.succeeded(tmp_path)
    assert "The result folder is incomplete" in presenter.state.status


@pytest.mark.parametrize(
    ("stage", "fraction", "percent"),
    [("series", 0.0, 1), ("segmentation", 0.5, 40), ("unpacking", 1.0, 100), ("unknown", 0.5, 0)],
)
def test_the_bar_covers_the_whole_run(
    scene: Any, stage: str, fraction: float, percent: int
) -> None:
    from HepatoCastLib.presenter import overall_percent

    assert overall_percent(stage, fraction) == percent
