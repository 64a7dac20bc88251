"""Warm and fresh engines: the same outcomes; a study that kills processes ends alone."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dicom_node.engine_process import build_command
from dicom_node.engines import Engines, FreshEngines, WarmEngines, make_engines, name_device
from dicom_node.errors import EngineRunError
from dicom_node.run_events import EngineCancelledError, EngineOutcome
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.testbed import RECORDED_ENGINE, RECORDED_WORK, make_ct, write_files

Make = Callable[..., Engines]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Engines] = []

    def build(process: str = "warm", **settings: object) -> Engines:
        table = {
            "process": process,
            "command": [sys.executable, str(RECORDED_ENGINE), "by-patient"],
            "warm_command": [sys.executable, str(RECORDED_WORK), "by-patient"],
            **settings,
        }
        engines = make_engines(build_configuration(tmp_path / "state", analysis=table).analysis)
        engines.start()
        made.append(engines)
        return engines

    yield build
    for engines in made:
        if isinstance(engines, WarmEngines):
            engines.stop()


def run(engines: Engines, folder: Path, patient: str = "result") -> EngineOutcome:
    write_files(make_ct(slices=1, patient=patient), folder / "study")
    (folder / "out").mkdir(exist_ok=True)
    arguments = build_command([], folder / "study", folder / "out", {"job-id": folder.name})
    return engines.run(folder.name, arguments, lambda *_: True)


@pytest.mark.parametrize("process", ["warm", "fresh"])
def test_both_ways_end_alike(make: Make, tmp_path: Path, process: str) -> None:
    engines = make(process)
    assert run(engines, tmp_path / "a") == EngineOutcome(outcome="result")
    names = sorted(path.name for path in (tmp_path / "a" / "out").glob("*.dcm"))
    assert names == ["pdf.dcm", "sc.dcm", "seg.dcm", "sr.dcm"]
    with pytest.raises(EngineRunError, match="DeviceError: out of memory"):
        run(engines, tmp_path / "b", "crash")


def test_a_study_that_kills_its_process_takes_no_other_with_it(make: Make, tmp_path: Path) -> None:
    """Two killers among six studies in one process: four results, two failures that count."""
    engines = make(studies_per_device=6)
    patients = ["die", "slow", "slow", "die", "slow", "slow"]
    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(run, engines, tmp_path / str(n), p) for n, p in enumerate(patients)]
        ends = [job.exception(timeout=60) or job.result().outcome for job in jobs]
    assert [str(end) for n, end in enumerate(ends) if patients[n] == "slow"] == ["result"] * 4
    for number in (0, 3):
        assert isinstance(ends[number], EngineRunError)
        assert "signal 9" in str(ends[number])


def test_a_study_that_died_in_company_runs_again_alone_and_is_trusted_again(
    make: Make, tmp_path: Path
) -> None:
    """Neither its neighbor nor it fails: it was not alone when the process died."""
    engines = make(studies_per_device=2)
    assert isinstance(engines, WarmEngines)
    with ThreadPoolExecutor(2) as pool:
        patients = {"s": "slow", "o": "die-once"}
        jobs = []
        for name, patient in patients.items():
            jobs.append(pool.submit(run, engines, tmp_path / name, patient))
            time.sleep(0.5)
        assert [job.result(timeout=60).outcome for job in jobs] == ["result", "result"]
    assert engines._suspects == set()


def test_each_device_has_its_own_process_and_its_own_environment(
    make: Make, tmp_path: Path
) -> None:
    engines = make(devices=["cuda:0", "cuda:1"], studies_per_device=1)
    assert isinstance(engines, WarmEngines)
    assert engines.at_once == 2
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda n: run(engines, tmp_path / str(n), "slow"), range(2)))
    assert [o.outcome for o in outcomes] == ["result", "result"]
    assert len(set(engines.pids)) == 2
    seen = set()
    for pid in engines.pids:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        seen |= {v for v in variables if v.startswith(b"CUDA_VISIBLE_DEVICES=")}
    assert seen == {b"CUDA_VISIBLE_DEVICES=0", b"CUDA_VISIBLE_DEVICES=1"}


@pytest.mark.parametrize(
    ("device", "kind", "environment"),
    [("cpu", "cpu", {}), ("cuda", "cuda", {}), ("cuda:1", "cuda", {"CUDA_VISIBLE_DEVICES": "1"})],
)
def test_a_numbered_gpu_is_the_only_one_its_process_sees(
    device: str, kind: str, environment: dict[str, str]
) -> None:
    assert name_device(device) == (kind, environment)


def test_a_study_canceled_while_it_waits_for_a_device_never_starts(
    make: Make, tmp_path: Path
) -> None:
    engines = make("fresh")
    assert isinstance(engines, FreshEngines)
    started = threading.Event()

    def note(*_: object) -> bool:
        started.set()
        return True

    with ThreadPoolExecutor(1) as pool:
        (tmp_path / "s" / "out").mkdir(parents=True)
        write_files(make_ct(slices=1, patient="slow"), tmp_path / "s" / "study")
        arguments = build_command([], tmp_path / "s" / "study", tmp_path / "s" / "out", {})
        first = pool.submit(engines.run, "s", [*arguments, "--job-id", "s"], note)
        assert started.wait(20)
        with pytest.raises(EngineCancelledError):
            engines.run("late", ["nothing"], lambda *_: False)
        assert first.result(timeout=30).outcome == "result"
