"""Retention deletes on schedule, proves it, and spares what is in work."""

import time
from pathlib import Path

import pytest

from dicom_node.audit import AuditTrail
from dicom_node.inbox import name_of
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.retention import SECONDS_PER_DAY, Retention, _uptime
from dicom_node.settings import Configuration
from tests.dicom_node.test_completeness import STUDY, arrive
from tests.dicom_node.test_ledger import finish, make_job

NOW = time.time


@pytest.fixture
def retention(configuration: Configuration, index: Index) -> Retention:
    return Retention(configuration, index.engine, AuditTrail(configuration))


def lay_images(configuration: Configuration) -> Path:
    folder = configuration.shared / "images" / name_of(STUDY)
    folder.mkdir(parents=True)
    (folder / "a.dcm").write_bytes(b"x")
    return folder


def later(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    moment = NOW() + days * SECONDS_PER_DAY
    monkeypatch.setattr("dicom_node.retention.time.time", lambda: moment)
    uptime = _uptime() + days * SECONDS_PER_DAY
    monkeypatch.setattr("dicom_node.retention._uptime", lambda: uptime)


def test_images_of_a_finished_study_go_after_their_days(
    configuration: Configuration,
    index: Index,
    retention: Retention,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rows stay without a place, and the timeline says what was deleted."""
    arrive(index, 1)
    index.ignore_study(STUDY, "test")
    folder = lay_images(configuration)
    later(monkeypatch, 29)
    retention.sweep()
    assert folder.exists()
    later(monkeypatch, 31)
    retention.sweep()
    assert not folder.exists()
    assert [row["path"] for row in index.list_instances(STUDY)] == [""]
    assert "1 images deleted" in index.list_events(STUDY)[-1]["text"]
    assert not index.holds(f"{STUDY}.1")


def test_a_study_in_work_is_spared(
    configuration: Configuration,
    index: Index,
    retention: Retention,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrive(index, 1)
    folder = lay_images(configuration)
    later(monkeypatch, 1000)
    retention.sweep()
    assert folder.exists()


def test_results_go_after_their_own_days(
    configuration: Configuration, index: Index, ledger: Ledger, retention: Retention,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    job_id = make_job(index, ledger, 1)
    ledger.start_analysis(job_id, "h")
    ledger.set_shadow(job_id)
    finish(ledger, job_id)
    folder = configuration.shared / "results" / job_id
    folder.mkdir(parents=True)
    later(monkeypatch, 366)
    retention.sweep()
    assert not folder.exists()
    assert index.list_events(STUDY)[-1]["kind"] in ("result deleted", "images deleted")


def test_images_that_come_while_retention_looks_are_kept(
    configuration: Configuration, index: Index, retention: Retention
) -> None:
    """The study was listed as old, then a late image opened it again."""
    arrive(index, 1)
    folder = lay_images(configuration)
    assert retention.delete_images(STUDY) == 0
    assert list(folder.iterdir()) == [folder / "a.dcm"]
    assert {row["path"] for row in index.list_instances(STUDY)} != {""}


def test_an_image_sent_again_after_its_deletion_is_held_again(
    configuration: Configuration, index: Index, retention: Retention
) -> None:
    arrive(index, 1)
    index.ignore_study(STUDY, "test")
    lay_images(configuration)
    assert retention.delete_images(STUDY) == 1
    assert not index.holds(index.list_instances(STUDY)[0]["sop_instance_uid"])
    arrive(index, 1)
    assert index.holds(index.list_instances(STUDY)[0]["sop_instance_uid"])
    study = index.find_study(STUDY)
    assert study is not None
    assert (study["state"], study["images_deleted_at"]) == ("receiving", None)


def test_a_clock_that_jumps_deletes_nothing(
    configuration: Configuration, index: Index, retention: Retention,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A year ahead by a broken time server, one second of uptime."""
    arrive(index, 1)
    index.ignore_study(STUDY, "test")
    folder = lay_images(configuration)
    moment = time.time() + 365 * SECONDS_PER_DAY
    monkeypatch.setattr("dicom_node.retention.time.time", lambda: moment)
    retention.sweep()
    assert folder.exists()
