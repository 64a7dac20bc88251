"""`hepatocast work`: the bytes of `hepatocast analyze`, many studies in one process."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.phantoms.boxes import AIR_HU, LIVER_HU, TISSUE_HU, TUMOR_HU
from tests.phantoms.dicom_series import SeriesPlan, ct_series, write_series
from tests.phantoms.packages import write_threshold_package

ROOT = Path(__file__).parents[2]
ENDS = {"result", "not-analyzed", "error", "canceled"}
MOMENT = "2026-03-14T09:26:53+00:00"
PATIENCE_SECONDS = 60


def write_boxes(folder: Path, name: str, *, slices: int = 14, tumor_columns: int = 4) -> Path:
    """A liver of boxes with one bright lesion, 280 mL and more."""
    hu = np.full((slices, 40, 48), AIR_HU, np.int16)
    hu[:, 4:36, 4:44] = TISSUE_HU
    hu[2:-2, 10:30, 10:36] = LIVER_HU
    hu[5:8, 16:20, 18 : 18 + tumor_columns] = TUMOR_HU
    plan = SeriesPlan(study=name, series=name, spacing_mm=(5.0, 4.0, 4.0))
    return write_series(ct_series(hu, plan), folder / name)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the threshold package, its graphs open to batches."""
    root = tmp_path_factory.mktemp("models")
    folder = write_threshold_package(root)
    manifest = (folder / "manifest.toml").read_text()
    for path in sorted(folder.glob("*.onnx")):
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        graph = onnx.load(path)
        for tensor in (graph.graph.input[0], graph.graph.output[0]):
            tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
        onnx.save(graph, path)
        manifest = manifest.replace(before, hashlib.sha256(path.read_bytes()).hexdigest())
    (folder / "manifest.toml").write_text(manifest)
    return root


def arguments_of(study: Path, out: Path, models: Path, *more: str) -> list[str]:
    named = ["--models", str(models), "--model", "threshold", "--risk", ""]
    return [str(study), "--out", str(out), *named, "--created-at", MOMENT, *more]


class Process:
    """A running `hepatocast work`."""

    def __init__(self, models: Path, *options: str) -> None:
        command = [sys.executable, "-m", "engine.cli", "work", "--device", "cpu", *options]
        self.process = subprocess.Popen(
            [*command, "--models", str(models), "--preload", "threshold"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.read()["event"] == "ready"

    def send(self, **line: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        event = json.loads(self.process.stdout.readline())
        assert isinstance(event, dict)
        return event

    def read_ends(self, number: int) -> dict[str, dict[str, Any]]:
        """The last event of as many jobs, by job."""
        ends: dict[str, dict[str, Any]] = {}
        while len(ends) < number:
            event = self.read()
            if event["event"] in ENDS:
                assert event["job"] not in ends
                ends[event["job"]] = event
        return ends

    def close(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def working(models: Path, *options: str) -> Iterator[Process]:
    process = Process(models, *options)
    try:
        yield process
    finally:
        process.process.kill()
        process.process.__exit__(None, None, None)


@pytest.fixture(scope="module")
def worker(models: Path) -> Iterator[Process]:
    """One process for the tests that leave it as they found it."""
    with working(models) as process:
        yield process


def content(folder: Path) -> dict[str, object]:
    """Every file's bytes; result.json without the seconds, which no two runs share."""
    found: dict[str, object] = {path.name: path.read_bytes() for path in folder.iterdir()}
    told = json.loads(bytes(found["result.json"]))  # type: ignore[call-overload]
    assert told.pop("stage_seconds")
    return {**found, "result.json": told}


def test_the_bytes_are_those_of_analyze_alone_and_side_by_side(
    models: Path, tmp_path: Path
) -> None:
    """Two studies at once, their windows in common batches, against two cold processes."""
    studies = [write_boxes(tmp_path, f"s{n}", tumor_columns=3 + n) for n in range(2)]
    for number, study in enumerate(studies):
        command = [sys.executable, "-m", "engine.cli", "analyze", "--device", "cpu"]
        arguments = arguments_of(study, tmp_path / f"cold{number}", models, "--json-lines")
        subprocess.run(
            [*command, *arguments], cwd=ROOT, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    with working(models, "--concurrent", "2", "--batch", "4") as process:
        for number, study in enumerate(studies):
            arguments = arguments_of(study, tmp_path / f"warm{number}", models)
            process.send(job=f"j{number}", arguments=arguments)
        ends = process.read_ends(2)
        assert {end["event"] for end in ends.values()} == {"result"}
        assert process.close() == 0
    for number in range(2):
        assert content(tmp_path / f"warm{number}") == content(tmp_path / f"cold{number}")


def test_every_way_a_job_can_end_leaves_the_others_alone(
    worker: Process, models: Path, tmp_path: Path
) -> None:
    good = write_boxes(tmp_path, "good")
    thin = write_boxes(tmp_path, "thin", slices=8)  # too few slices for a series
    for name, words in (
        ("thin", arguments_of(thin, tmp_path / "t", models)),
        ("none", arguments_of(tmp_path / "no", tmp_path / "n", models)),
        ("odd", ["--frobnicate"]),
        ("cuda", arguments_of(good, tmp_path / "c", models, "--device", "cuda")),
        ("good", arguments_of(good, tmp_path / "g", models)),
    ):
        worker.send(job=name, arguments=words)
    ends = worker.read_ends(5)
    assert ends["thin"]["event"] == "not-analyzed"
    assert (tmp_path / "t" / "sr.dcm").is_file()
    assert ends["none"]["kind"] == "UnreadableStudyError"
    assert "arguments cannot be used" in ends["odd"]["message"]
    assert ends["cuda"]["kind"] == "DeviceError"
    assert ends["good"]["event"] == "result"


def test_a_canceled_job_writes_nothing_and_the_next_one_runs(
    worker: Process, models: Path, tmp_path: Path
) -> None:
    study = write_boxes(tmp_path, "s")
    for name in ("first", "second", "third"):
        worker.send(job=name, arguments=arguments_of(study, tmp_path / name, models))
    worker.send(cancel="second")
    worker.send(cancel="nobody")
    ends = worker.read_ends(3)
    assert {name: end["event"] for name, end in ends.items()} == {
        "first": "result", "second": "canceled", "third": "result",
    }  # fmt: skip
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize(
    "line", ["nonsense", "[]", '{"job": "a"}', '{"job": "", "arguments": []}', '{"job": 1}']
)
def test_a_line_that_is_no_job_is_refused_and_nothing_ends(worker: Process, line: str) -> None:
    assert worker.process.stdin is not None
    worker.process.stdin.write(line + "\n")
    worker.process.stdin.flush()
    assert worker.read()["event"] == "refused"


def test_closing_the_input_ends_the_process_with_work_under_way(
    models: Path, tmp_path: Path
) -> None:
    study = write_boxes(tmp_path, "s")
    with working(models) as process:
        for number in range(20):
            out = tmp_path / f"out{number}"
            process.send(job=str(number), arguments=arguments_of(study, out, models))
        process.read()
        started = time.monotonic()
        assert process.close() == 130
        assert time.monotonic() - started < 10
    assert not (tmp_path / "out19").exists()


def test_a_package_that_was_changed_on_disk_is_never_served_from_memory(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path / "models")
    study = write_boxes(tmp_path, "s")
    with working(tmp_path / "models") as process:
        process.send(job="a", arguments=arguments_of(study, tmp_path / "a", tmp_path / "models"))
        assert process.read_ends(1)["a"]["event"] == "result"
        graph = folder / "segmenter.onnx"
        graph.write_bytes(graph.read_bytes() + b"\0")
        process.send(job="b", arguments=arguments_of(study, tmp_path / "b", tmp_path / "models"))
        assert process.read_ends(1)["b"]["kind"] == "ModelPackageError"
