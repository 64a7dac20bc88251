"""The command line as a whole."""

from pathlib import Path

import pytest

from engine.cli.main import build_parser, defect, main


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("demo", "analyze", "model", "clinical", "score", "train", "evaluate"):
        with pytest.raises(SystemExit) as ended:
            build_parser().parse_args([command, "--help"])
        assert ended.value.code == 0
        assert "usage: hepatocast" in capsys.readouterr().out


def test_a_score_is_computed_from_typed_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "ALBI", "bilirubin_total=1:mg/dL", "albumin=4:g/dL"]) == 0
    assert "ALBI: -2.586" in capsys.readouterr().out


def test_an_unknown_model_is_named_and_the_known_ones_are_listed(
    tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(tmp_path), "--out", "unused", "--model", "liver_tumour_ct"]) == 2
    assert "did you mean 'liver_tumor_ct'" in capsys.readouterr().err


def test_a_defect_tells_its_place_and_never_its_message() -> None:
    """The message of an unexpected exception may carry a patient's name."""
    with pytest.raises(ValueError, match="Doe") as caught:
        int("Doe^Jane")
    told = str(defect(caught.value))
    assert "Doe" not in told
    assert "test_main.py" in told
    assert "--verbose" in told


def test_the_embedded_packages_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "list"]) == 0
    printed = capsys.readouterr().out
    for name in ("liver_tumor_ct", "resection_rfs", "resection_os"):
        assert name in printed


def test_the_embedded_network_verifies(capsys: pytest.CaptureFixture[str]) -> None:
    """Checksums and the reference case, on this machine's own provider."""
    assert main(["model", "verify", "liver_tumor_ct"]) == 0
    assert "verified" in capsys.readouterr().out


def test_a_foreign_result_folder_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    assert main(["analyze", str(tmp_path / "nothing"), "--out", str(tmp_path)]) == 2
    assert "OutputError" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "keep me"
