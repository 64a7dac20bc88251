"""The command line: every command documented, faults named, rules explained."""

from pathlib import Path

import pytest

from dicom_node.cli import main
from dicom_node.index import Index
from dicom_node.schema import create_tables, open_database
from tests.dicom_node.test_completeness import STUDY, arrive

COMMANDS = (
    "serve", "check", "status", "retry", "cancel", "complete", "pause", "resume", "rules",
    "backfill", "configuration",
)  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "node.toml"
    path.write_text(
        f'[storage]\nfolder = "{tmp_path / "state"}"\n'
        '[[rule]]\nname = "big"\nminimum_instances = 50\n[[rule]]\nname = "any"\n'
    )
    return path


@pytest.fixture
def index(tmp_path: Path) -> Index:
    engine = open_database(f"sqlite:///{tmp_path / 'state' / 'node.sqlite'}")
    create_tables(engine)
    return Index(engine)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in text] == []


def test_an_unusable_configuration_is_exit_code_2_with_every_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "node.toml"
    path.write_text('[storage]\nfolder = 3\n[listener]\nprt = 1\nport = "x"\n')
    assert main(["--config", str(path), "status"]) == 2
    text = capsys.readouterr().err
    assert text.count("\n- ") == 3


def test_rules_try_explains(config: Path, index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    arrive(index, 1, 2)
    assert main(["--config", str(config), "rules", "try", STUDY]) == 0
    assert capsys.readouterr().out == (
        "no    big: 2 instances of CT, at least 50 needed\n"
        "FITS  any: analyzed with the engine's own model; priority 100; "
        "delivered to nobody: no destination is configured\n"
    )


def test_status_lists_studies(
    config: Path, index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    arrive(index, 1)
    assert main(["--config", str(config), "status"]) == 0
    assert STUDY in capsys.readouterr().out


def test_pause_and_resume_are_remembered(config: Path, index: Index) -> None:
    assert main(["--config", str(config), "pause"]) == 0
    assert index.read_switch("paused") == "yes"
    assert main(["--config", str(config), "resume"]) == 0
    assert index.read_switch("paused") == "no"


@pytest.mark.parametrize("arguments", [["retry", "x"], ["cancel", "x"], ["complete", "1.2"]])
def test_what_is_not_there_is_exit_code_1(
    config: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config), *arguments]) == 1
    assert capsys.readouterr().err.strip()
