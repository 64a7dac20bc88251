"""The job installs what is missing before it works, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = Path(__file__).parents[4] / "slicer_module" / "HepatoCast"
JOB = MODULE / "HepatoCastLib" / "job.py"


def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pip: list[str]
) -> tuple[int, list[dict[str, object]], str]:
    """Run a plain job whose engine is a module of the test's own."""
    engine = tmp_path / "engine" / "cli"
    engine.mkdir(parents=True)
    for folder in (engine.parent, engine):
        (folder / "__init__.py").touch()
    (engine / "main.py").write_text("def main(arguments):\n    return 0\n")
    (tmp_path / "job.json").write_text(
        json.dumps({"arguments": ["work"], "out": str(tmp_path), "plain": True})
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HEPATOCAST_PIP", json.dumps(pip))
    with subprocess.Popen(
        [sys.executable, str(JOB), str(tmp_path / "job.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as job:
        out = job.stdout.read()
        code = job.wait(60)
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return code, lines, out


def test_pip_talks_to_the_log_and_the_engine_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, lines, out = run(tmp_path, monkeypatch, ["--version"])
    assert code == 0
    assert "pip " in out
    assert [line["event"] for line in lines] == ["started", "progress", "ready"]


def test_a_failed_install_ends_the_job_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheelhouse = tmp_path / "empty"
    wheelhouse.mkdir()
    pip = ["install", "--no-index", "--find-links", str(wheelhouse), "hepatocast-of-no-release"]
    code, lines, _ = run(tmp_path, monkeypatch, pip)
    assert code != 0
    assert lines[-1]["event"] == "error"
    assert "pip could not install" in str(lines[-1]["message"])
