"""A package switched off is not used: not started, not finished, not delivered."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicom_node.analysis import Analyst
from dicom_node.audit import AuditTrail
from dicom_node.delivery import Courier
from dicom_node.dispatch import Dispatch
from dicom_node.index import Arrival, Index
from dicom_node.ledger import Ledger
from dicom_node.model_switch import OFF, OFF_REASON, ON, SHADOW, ModelSwitches
from dicom_node.peers import PeerClient
from dicom_node.schema import create_tables, open_database
from dicom_node.settings import Configuration, Rule
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.test_ledger import state_of
from tests.dicom_node.testbed import RECORDED_ENGINE, make_ct, write_files


class Bench:
    """A node with one queued job and the recorded engine."""

    def __init__(self, folder: Path, behavior: str = "result", **analysis: Any) -> None:  # noqa: ANN401
        command = [sys.executable, str(RECORDED_ENGINE), behavior]
        self.configuration: Configuration = build_configuration(
            folder,
            analysis={"command": command, **analysis},
            peer=[{"name": "pacs", "ae_title": "P", "host": "127.0.0.1", "port": 9}],
            destination=[{"name": "pacs", "peer": "pacs"}],
            rule=[{"name": "liver", "model": "m1"}, {"name": "other"}],
        )
        engine = open_database(self.configuration.database_url)
        create_tables(engine)
        self.index = Index(engine)
        self.ledger, self.dispatch = Ledger(self.index), Dispatch(engine)
        self.switches = ModelSwitches(self.configuration, self.index)
        self.analyst = Analyst(self.configuration, self.ledger)
        self.job = self._make_job()

    def _make_job(self) -> str:
        (image,) = make_ct(slices=1)
        shared = self.configuration.shared
        (path,) = write_files([image], shared / "images" / "x")
        study = str(image.StudyInstanceUID)
        arrival = Arrival(
            sop_instance_uid=image.SOPInstanceUID, digest="d", study_uid=study,
            series_uid=image.SeriesInstanceUID, sop_class_uid=image.SOPClassUID, modality="CT",
            body_part="", path=str(path.relative_to(shared)), byte_count=1, source="",
        )  # fmt: skip
        self.index.enter([arrival])
        rows = self.index.list_instances(study)
        rule = Rule(name="liver", model="m1")
        job = self.ledger.create_job(study, rows, rule, {"text": ""}, seen_instances=1)
        assert job is not None
        return job

    def row(self) -> Any:  # noqa: ANN401
        return self.ledger.find_job(self.job)


Make = Callable[..., Bench]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda *a, **k: Bench(tmp_path / "state", *a, **k)


def test_a_package_is_on_until_somebody_says_otherwise(make: Make) -> None:
    bench = make()
    packages = bench.switches.list_packages("every CT")
    assert [(p.name, p.mode, p.rules) for p in packages] == [
        ("", ON, ("other",)),
        ("m1", ON, ("liver",)),
    ]


def test_jobs_of_a_package_that_is_off_wait(make: Make) -> None:
    """Even those whose work was asked for already; the next run is free after switching on."""
    bench = make()
    bench.switches.set("m1", OFF, "me")
    assert not bench.switches.may_start(bench.row())
    bench.analyst.analyze(bench.job)
    assert (bench.row()["state"], bench.row()["run"], bench.row()["failures"]) == ("queued", 2, 0)
    assert bench.row()["reason"] == OFF_REASON
    bench.switches.set("m1", ON, "me")
    bench.analyst.analyze(bench.job)
    assert bench.row()["state"] == "delivering"


def test_or_they_end_with_an_explicit_answer(make: Make) -> None:
    """As configured: SR and SC that say why; they are delivered although the package is off."""
    bench = make(when_off="not-analyzed")
    bench.switches.set("m1", OFF, "me")
    bench.analyst.analyze(bench.job)
    row = bench.row()
    assert (row["outcome"], row["reason"]) == ("not-analyzed", OFF_REASON)
    assert {o["kind"] for o in bench.ledger.list_objects(bench.job)} == {"SR", "SC"}
    assert row["state"] == "delivering"
    assert not bench.switches.is_held(row)


def test_a_running_analysis_is_stopped(make: Make) -> None:
    bench = make("hang", timeout_seconds=60.0)
    thread = threading.Thread(target=bench.analyst.analyze, args=(bench.job,))
    thread.start()
    while bench.row()["state"] != "analyzing":
        time.sleep(0.02)
    bench.switches.set("m1", OFF, "me")
    thread.join(20)
    assert not thread.is_alive()
    assert (bench.row()["state"], bench.row()["run"]) == ("queued", 2)


def test_a_finished_result_stays_here_while_its_package_is_off(make: Make) -> None:
    """A delivery that had been asked for is held, and is not counted towards giving up."""
    bench = make()
    bench.analyst.analyze(bench.job)
    bench.switches.set("m1", OFF, "me")
    assert bench.switches.is_held(bench.row())
    audit = AuditTrail(bench.configuration)
    courier = Courier(
        bench.configuration, bench.ledger, bench.dispatch, PeerClient("N"), audit
    )  # fmt: skip
    courier.deliver(bench.job, "pacs")
    delivery = bench.dispatch.find_delivery(bench.job, "pacs")
    assert delivery is not None
    assert (delivery["state"], delivery["tries"], delivery["reason"]) == ("planned", 1, OFF_REASON)
    assert state_of(bench.ledger, bench.job) == "delivering"


def test_in_shadow_mode_results_are_kept_and_nothing_is_delivered(make: Make) -> None:
    bench = make()
    bench.switches.set("m1", SHADOW, "me")
    bench.analyst.analyze(bench.job)
    assert state_of(bench.ledger, bench.job) == "shadow"
    assert len(bench.ledger.list_objects(bench.job)) == 4
    assert bench.dispatch.list_deliveries(bench.job) == []


def test_who_set_what_is_remembered(make: Make) -> None:
    bench = make()
    assert bench.switches.set("m1", OFF, "10.0.0.7")
    assert not bench.switches.set("m1", OFF, "10.0.0.8")
    assert bench.switches.set("m1", ON, "10.0.0.9")
    told = [(c["name"], c["value"], c["who"]) for c in bench.switches.list_changes()]
    assert told == [("m1", ON, "10.0.0.9"), ("m1", OFF, "10.0.0.7")]
    with pytest.raises(ValueError, match="half"):
        bench.switches.set("m1", "half", "me")
