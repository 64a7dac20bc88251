"""The real engine, warm, under the node's supervisor: killed in the middle, nothing is lost."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dicom_node.analysis import read_objects
from dicom_node.engine_process import build_command
from dicom_node.engines import WarmEngines
from dicom_node.run_events import EngineOutcome
from tests.cli.test_work import write_boxes
from tests.dicom_node.conftest import build_configuration
from tests.phantoms.dicom_series import uid
from tests.phantoms.packages import write_threshold_package

PATIENCE_SECONDS = 240


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmEngines]:
    folder = tmp_path_factory.mktemp("warm")
    model = write_threshold_package(folder / "models")
    table = {
        "warm_command": [sys.executable, "-m", "engine.cli", "work"],
        "model": str(model),
        "studies_per_device": 2,
    }
    made = WarmEngines(build_configuration(folder / "state", analysis=table).analysis)
    made.start()
    yield made
    made.stop()


def analyze(engines: WarmEngines, folder: Path, stages: list[str]) -> EngineOutcome:
    study = write_boxes(folder, folder.name)
    (folder / "out").mkdir()
    options = {"job-id": folder.name, "model": engines._settings.model}
    arguments = [*build_command([], study, folder / "out", options), "--risk", ""]

    def report(stage: str, _fraction: float) -> bool:
        stages.append(stage)
        return True

    return engines.run(folder.name, arguments, report)


def test_two_studies_outlive_the_process_they_were_in(engines: WarmEngines, tmp_path: Path) -> None:
    stages: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(analyze, engines, tmp_path / name, stages) for name in ("a", "b")]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while set(stages) <= {"waiting", "starting"} and time.monotonic() < deadline:
            time.sleep(0.05)
        (first,) = engines.pids
        os.kill(first, signal.SIGKILL)
        outcomes = [job.result(PATIENCE_SECONDS) for job in jobs]
    assert outcomes == [EngineOutcome(outcome="result")] * 2
    assert engines.pids != [first]
    for name in ("a", "b"):
        found = read_objects(tmp_path / name / "out", uid(name))
        assert {"SEG", "SR", "SC", "PDF"} <= {result.kind for result in found}
