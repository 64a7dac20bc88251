"""Closing standard input cancels a run started by a program, and nothing is left behind."""

import subprocess
import sys
from pathlib import Path

from tests.phantoms.hostile import good_study

ROOT = Path(__file__).parents[2]


def test_a_closed_standard_input_cancels_without_output(tmp_path: Path) -> None:
    study, out = good_study(tmp_path), tmp_path / "result"
    before = sorted(tmp_path.iterdir())
    command = [sys.executable, "-m", "engine.cli", "analyze", str(study), "--out", str(out)]
    with subprocess.Popen(
        [*command, "--json-lines"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as run:
        assert run.stdin is not None
        run.stdin.close()
        assert run.wait(timeout=60) == 130
    assert sorted(tmp_path.iterdir()) == before


def test_without_a_pipe_nobody_is_holding_on(tmp_path: Path) -> None:
    """/dev/null is at its end from the start; that is no cancellation."""
    command = [sys.executable, "-m", "engine.cli", "analyze", str(tmp_path), "--out", "unused"]
    done = subprocess.run(
        [*command, "--json-lines"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "UnreadableStudyError" in done.stdout
