"""What programs read of the packages: one JSON object each, told apart by version."""

import json
from pathlib import Path

import pytest

from engine.cli.main import main
from tests.phantoms.packages import write_threshold_package


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_embedded_packages_tell_use_and_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "list", "--json-lines"]) == 0
    events = told(capsys)
    assert {event["event"] for event in events} == {"model"}
    (liver,) = (event for event in events if event["package"] == "liver_tumor_ct")
    assert liver["kind"] == "segmentation"
    assert str(liver["intended_use"]).startswith("Research")
    assert liver["limits"]
    assert liver["chosen"]


def test_a_bare_name_means_the_newest_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = write_threshold_package(tmp_path)
    new = old.with_name("1.1.0")
    old.rename(new)
    manifest = new / "manifest.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('"1.0.0"', '"1.1.0"', 1), "utf-8")
    write_threshold_package(tmp_path)
    assert main(["model", "--models", str(tmp_path), "list", "--json-lines"]) == 0
    chosen = {e["version"]: e["chosen"] for e in told(capsys) if e["package"] == "threshold"}
    assert chosen == {"1.0.0": False, "1.1.0": True}


def test_an_unusable_package_is_told_with_its_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (write_threshold_package(tmp_path) / "manifest.toml").write_text("format = 1\n")
    assert main(["model", "--models", str(tmp_path), "list", "--json-lines"]) == 1
    (broken,) = (event for event in told(capsys) if event["package"] == "threshold")
    assert "missing" in str(broken["problem"])
    assert broken["intended_use"] == ""
