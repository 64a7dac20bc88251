"""The engine's process: canceled by its input, killed behind a launcher, never forgotten."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Spin = Callable[..., None]


def program(tmp_path: Path, body: str) -> Path:
    """A job program that tells its process id, then does something."""
    head = "import json, os, sys, time\nprint(json.dumps({'event': 'started', 'pid': os.getpid()}),"
    path = tmp_path / "job.py"
    path.write_text(f"{head} flush=True)\n{body}\n")
    return path


@pytest.fixture
def run(stand: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from HepatoCastLib import run as module

    monkeypatch.setattr(module, "JOB_PROGRAM", tmp_path / "job.py")
    return module.BackgroundRun(grace_ms=2000)


@pytest.fixture
def ends(run: Any) -> list[str]:
    told: list[str] = []
    run.succeeded.connect(lambda _folder: told.append("succeeded"))
    run.failed.connect(lambda message: told.append(f"failed: {message}"))
    run.canceled.connect(lambda: told.append("canceled"))
    return told


def is_gone(pid: int) -> bool:
    for _ in range(60):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_closing_the_input_is_enough(run: Any, ends: list[str], tmp_path: Path, spin: Spin) -> None:
    """An engine that listens ends by itself, long before the grace time is over."""
    marker = tmp_path / "ended by itself"
    program(tmp_path, f"sys.stdin.read(); open({str(marker)!r}, 'w').close()")
    run._grace_ms = 60_000
    run.start(sys.executable, tmp_path / "job.json", dict(os.environ))
    spin(lambda: run._engine_pid != 0)
    run.cancel()
    spin(lambda: bool(ends))
    assert ends == ["canceled"]
    assert marker.exists()


def test_an_engine_behind_a_launcher_is_killed_too(
    run: Any, ends: list[str], tmp_path: Path, spin: Spin
) -> None:
    """PythonSlicer is a launcher: killing it alone would leave the engine at work."""
    program(tmp_path, "time.sleep(60)")
    launcher = tmp_path / "PythonSlicer"
    launcher.write_text(
        f"#!{sys.executable}\nimport subprocess, sys\n"
        f"sys.exit(subprocess.call([{sys.executable!r}, *sys.argv[1:]]))\n"
    )
    launcher.chmod(0o755)
    run._grace_ms = 50
    run.start(str(launcher), tmp_path / "job.json", dict(os.environ))
    spin(lambda: run._engine_pid != 0)
    pid = run._engine_pid
    run.cancel()
    spin(lambda: bool(ends))
    assert ends == ["canceled"]
    assert is_gone(pid)


def test_success_needs_a_result_folder(
    run: Any, ends: list[str], tmp_path: Path, spin: Spin
) -> None:
    program(tmp_path, "")
    run.start(sys.executable, tmp_path / "job.json", dict(os.environ))
    spin(lambda: bool(ends))
    assert ends == ["failed: the engine ended with code 0"]


def test_lines_in_pieces_and_umlauts_arrive_whole(
    run: Any, ends: list[str], tmp_path: Path, spin: Spin
) -> None:
    line = json.dumps({"event": "error", "kind": "InputError", "message": "Größe"}, ensure_ascii=0)
    body = (
        f"data = {line!r}.encode() + b'\\n'\n"
        "for n in range(len(data)):\n"
        "    sys.stdout.buffer.write(data[n:n + 1]); sys.stdout.buffer.flush()\n"
        "sys.exit(2)"
    )
    program(tmp_path, body)
    run.start(sys.executable, tmp_path / "job.json", dict(os.environ))
    spin(lambda: bool(ends))
    assert ends == ["failed: InputError: Größe"]


def test_a_program_that_cannot_start_is_a_failure(
    run: Any, ends: list[str], tmp_path: Path, spin: Spin
) -> None:
    run.start(str(tmp_path / "absent"), tmp_path / "job.json", dict(os.environ))
    spin(lambda: bool(ends))
    assert ends[0].startswith("failed: The engine's Python cannot be started")
    assert not run.running


def test_time_left_is_told_once_it_can_be_judged(stand: SimpleNamespace) -> None:
    from HepatoCastLib.run import TimeLeft

    now = iter([0.0, 0.5, 10.0])
    left = TimeLeft(clock=lambda: next(now))
    assert left.text("segmentation", 0.0) == ""
    assert left.text("segmentation", 0.3) == ""
    assert left.text("segmentation", 0.25) == "30 s left"
