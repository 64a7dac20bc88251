"""The engine's process: progress, results, failures, cancelling."""

import sys
import time
from pathlib import Path

import psutil
import pytest

from dicom_node.engine_process import build_command, run_engine
from dicom_node.errors import EngineRunError
from dicom_node.run_events import EngineCancelledError, EngineOutcome
from tests.dicom_node.testbed import RECORDED_ENGINE, make_ct, write_files


def run(folder: Path, behavior: str, *, seconds: float = 30, wanted: bool = True) -> EngineOutcome:
    write_files(make_ct(slices=1), folder / "study")
    (folder / "out").mkdir()
    base = [sys.executable, str(RECORDED_ENGINE), behavior]
    command = build_command(base, folder / "study", folder / "out", {"job-id": "j", "model": ""})
    return run_engine(command, timeout_seconds=seconds, report=lambda *_: wanted)


def test_a_result_is_a_result(tmp_path: Path) -> None:
    assert run(tmp_path, "result") == EngineOutcome(outcome="result")


def test_not_analyzed_comes_with_its_reason(tmp_path: Path) -> None:
    outcome = run(tmp_path, "not-analyzed")
    assert outcome == EngineOutcome(outcome="not-analyzed", reason="No eligible series")


@pytest.mark.parametrize(
    ("behavior", "message"),
    [("crash", "DeviceError: out of memory"), ("chatter", "not JSON")],
)
def test_a_failure_is_told_in_the_engines_words(
    tmp_path: Path, behavior: str, message: str
) -> None:
    with pytest.raises(EngineRunError, match=message):
        run(tmp_path, behavior)


def test_a_hanging_engine_is_ended(tmp_path: Path) -> None:
    with pytest.raises(EngineRunError, match="longer than 1 s"):
        run(tmp_path, "hang", seconds=1)


def test_an_unwanted_run_is_cancelled_and_leaves_no_process(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(EngineCancelledError):
        run(tmp_path, "hang", wanted=False)
    assert time.monotonic() - started < 10
    assert [c for c in psutil.Process().children() if str(RECORDED_ENGINE) in c.cmdline()] == []


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineRunError, match="cannot be started"):
        run_engine([str(tmp_path / "none")], timeout_seconds=1, report=lambda *_: True)


def test_empty_options_are_left_out(tmp_path: Path) -> None:
    command = build_command(["e"], tmp_path, tmp_path, {"job-id": "j", "model": ""})
    assert command[-2:] == ["--job-id", "j"]
    assert "--model" not in command
