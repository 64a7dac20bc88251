"""Hostile inputs at the command: one line, no traceback, no output (issue 2, line 5)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.main import main
from tests.phantoms.dicom_series import PATIENT_NAME
from tests.phantoms.hostile import HostileInput, hostile_inputs

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("case", hostile_inputs(), ids=lambda case: case.name)
def test_the_command_refuses_in_one_line(
    case: HostileInput, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, out = case.build(tmp_path), tmp_path / "out"
    assert main(["analyze", str(study), "--out", str(out)]) == 2
    told = capsys.readouterr()
    errors = [line for line in told.err.splitlines() if line.startswith("hepatocast: ")]
    assert len(errors) == 1
    assert case.error.__name__ in errors[0]
    assert case.says in errors[0]
    assert "Traceback" not in told.err
    assert PATIENT_NAME.split("^")[0] not in told.err + told.out
    assert not out.exists()
    assert not list(tmp_path.glob("*out*"))


def test_a_program_gets_the_refusal_as_objects(tmp_path: Path) -> None:
    """With --json-lines a readable but unusable study leaves explicit 'not analyzed' objects."""
    case = next(c for c in hostile_inputs() if c.name == "one slice")
    out = tmp_path / "out"
    study = str(case.build(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", "analyze", study, "--out", str(out), "--json-lines"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "not-analyzed"
    assert case.says in events[-1]["reason"]
    kinds = {file["kind"] for file in events[-1]["files"]}
    assert {"SR", "SC"} <= kinds
    assert all((out / file["name"]).is_file() for file in events[-1]["files"])
