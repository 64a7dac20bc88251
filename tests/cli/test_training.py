"""`hepatocast train` and `hepatocast evaluate` parse, call and print."""

from pathlib import Path

import pytest

from engine.cli.main import main

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Sixty patients with age, AFP and a stage; the older fail earlier."""
    lines = ["patient,time_months,event,age,afp,stage,sex"]
    lines += [
        f"{k},{70 - k + 7 * (k % 3)},{int(k % 4 > 0)},{30 + k % 45},{5 + 40 * (k % 5)},{k % 2},"
        for k in range(60)
    ]
    path = tmp_path / "patients.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_evaluate_prints_references_and_writes_its_report(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    package = MODELS / "resection_os" / "1.0.0"
    given = ["evaluate", str(package), str(table), "--out", str(out), "--months", "12", "24"]
    assert main([*given, "--references", "stage", "--subgroups", "stage"]) == 0
    text = capsys.readouterr().out
    for words in (
        "age and AFP: 0 patients refused",
        "against stage: C",
        "stage = 1: 30 patients",
        "clinical and imaging: only 0 patients have its values",
    ):
        assert words in text
    assert {p.name for p in out.iterdir()} == {
        "evaluation.json",
        "evaluation.html",
        "evaluation.pdf",
    }


def test_a_column_that_is_not_there_is_a_refusal_without_a_traceback(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = MODELS / "resection_os" / "1.0.0"
    assert main(["evaluate", str(package), str(table), "--references", "okuda"]) != 0
    assert "lacks the columns okuda" in capsys.readouterr().err


def test_train_refuses_a_recipe_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path)
    given = ["train", str(tmp_path / "none.toml"), "--cohort", folder, "--out", folder]
    assert main(given) != 0
    assert "none.toml cannot be read" in capsys.readouterr().err
