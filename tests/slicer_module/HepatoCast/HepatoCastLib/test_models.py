"""The list of models, without any Qt: what is asked, and what is told when nothing comes back."""

import json
from pathlib import Path
from typing import Any

import pytest


class HandRun:
    """A run whose events the test sends."""

    def __init__(self) -> None:
        from HepatoCastLib.notice import Notice

        self.told, self.succeeded = Notice(), Notice()
        self.failed, self.canceled = Notice(), Notice()
        self.started: list[list[str]] = []

    def start(self, _python: str, job_file: Path, _environment: dict[str, str]) -> None:
        self.started.append(json.loads(job_file.read_text())["arguments"])


class HandEngine:
    """An engine that is there, or not."""

    def __init__(self, place: tuple[str, dict[str, str]] | None) -> None:
        self.place = place

    def installed(self) -> tuple[str, dict[str, str]] | None:
        return self.place


@pytest.fixture
def run(scene: Any) -> HandRun:
    return HandRun()


def models_of(run: HandRun, *, there: bool = True) -> Any:
    from HepatoCastLib.models import ModelList

    return ModelList(run, HandEngine(("python", {}) if there else None))


def test_without_an_engine_nothing_starts_and_nobody_is_asked(run: HandRun) -> None:
    models = models_of(run, there=False)
    models.read()
    assert run.started == []
    assert models.describe("liver_tumor_ct").startswith("Known once the engine is installed")


def test_a_failure_is_told_in_place_of_the_limits(run: HandRun) -> None:
    models = models_of(run)
    models.read()
    assert run.started == [["model", "list", "--json-lines"]]
    run.failed("the engine ended with code 1")
    assert models.describe("liver_tumor_ct") == (
        "The packages cannot be read: the engine ended with code 1"
    )


def test_another_python_named_meanwhile_is_read_next(run: HandRun) -> None:
    models = models_of(run)
    models.read()
    models.read()
    assert len(run.started) == 1
    run.canceled()
    assert len(run.started) == 2
    run.canceled()
    assert len(run.started) == 2
