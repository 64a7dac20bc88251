"""`--refuse`: a site's refusal becomes explicit objects, by one process or by many."""

import json
from pathlib import Path

import pytest
from pydicom import dcmread

from engine.cli.main import main
from tests.cli.test_work import arguments_of, working, write_boxes
from tests.phantoms.packages import write_threshold_package

REASON = "The model package is switched off at this site"


@pytest.fixture(scope="module")
def package_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    write_threshold_package(root)
    return root


def check_refusal(out: Path) -> None:
    kinds = {dcmread(path).Modality for path in out.glob("*.dcm")}
    assert kinds == {"SR", "OT"}
    report = dcmread(next(p for p in out.glob("*.dcm") if dcmread(p).Modality == "SR"))
    texts = {str(e.value) for e in report.iterall() if e.keyword == "TextValue"}
    assert f"Not analyzed: {REASON}" in texts


def test_a_refusal_writes_objects_that_say_why(
    tmp_path: Path, package_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_boxes(tmp_path, "one")
    words = arguments_of(study, tmp_path / "out", package_folder, "--refuse", REASON)
    assert main(["analyze", *words, "--json-lines"]) == 3
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["event"], last["reason"]) == ("not-analyzed", REASON)
    check_refusal(tmp_path / "out")


def test_a_warm_process_refuses_as_well(tmp_path: Path, package_folder: Path) -> None:
    """Never a study analyzed by a package that was switched off, whichever way it runs."""
    study = write_boxes(tmp_path, "two")
    words = arguments_of(study, tmp_path / "out", package_folder, "--refuse", REASON)
    with working(package_folder) as process:
        process.send(job="a", arguments=words)
        end = process.read_ends(1)["a"]
    assert (end["event"], end["reason"]) == ("not-analyzed", REASON)
    check_refusal(tmp_path / "out")
