"""One analysis: its result is whole or not there, whatever happens on the way."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from dicom_node.analysis import Analyst, find_result_file, kind_of, publish, read_objects
from dicom_node.errors import EngineRunError, UnknownStudyError
from dicom_node.index import Arrival, Index
from dicom_node.ledger import Ledger
from dicom_node.settings import Rule
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.test_ledger import state_of
from tests.dicom_node.testbed import RECORDED_ENGINE, free_port, make_ct, write_files

Build = Callable[..., tuple[Analyst, str]]


@pytest.fixture
def build(tmp_path: Path, index: Index, ledger: Ledger) -> Build:
    """An analyst with an engine of some behavior, and a queued job with two images."""

    def make(
        behavior: str,
        *,
        late: bool = False,
        kinds: tuple[str, ...] = (),
        **settings: Any,  # noqa: ANN401
    ) -> tuple[Analyst, str]:
        command = [sys.executable, str(RECORDED_ENGINE), behavior]
        table = {"command": command, "attempts": 2, **settings}
        peer = {"name": "pacs", "ae_title": "PACS", "host": "h", "port": 104}
        destination = {"name": "pacs", "peer": "pacs", "kinds": list(kinds)}
        more = {"peer": [peer], "destination": [destination]} if kinds else {}
        configuration = build_configuration(tmp_path / "state", analysis=table, **more)
        known = index.list_worklist()
        study = str(known[0]["study_uid"]) if late else None
        series = make_ct(slices=2, study_uid=study)
        folder = configuration.shared / "images" / str(series[0].SeriesInstanceUID)
        paths = write_files(series, folder)
        index.enter(
            [
                Arrival(
                    sop_instance_uid=d.SOPInstanceUID, digest=path.name + d.SOPInstanceUID,
                    study_uid=d.StudyInstanceUID, series_uid=d.SeriesInstanceUID,
                    sop_class_uid=d.SOPClassUID, modality="CT", body_part="", source="",
                    path=str(path.relative_to(configuration.shared)), byte_count=1,
                )
                for d, path in zip(series, paths, strict=True)
            ]
        )  # fmt: skip
        study = str(series[0].StudyInstanceUID)
        rows = index.list_instances(study)
        seen = len(rows)
        job = ledger.create_job(study, rows, Rule(name="r"), {"text": ""}, seen_instances=seen)
        assert job is not None
        return Analyst(configuration, ledger), job

    return make


def test_a_result_is_entered_with_its_objects(build: Build, ledger: Ledger) -> None:
    analyst, job = build("result")
    analyst.analyze(job)
    assert state_of(ledger, job) == "delivering"
    assert {o["kind"] for o in ledger.list_objects(job)} == {"SEG", "SR", "SC", "PDF"}
    assert list(analyst.results.glob(".*")) == []


@pytest.mark.parametrize("kinds", [("SEG", "SR"), ("SEG", "RTSTRUCT")])
def test_contours_are_made_only_for_a_destination_that_wants_them(
    build: Build, ledger: Ledger, kinds: tuple[str, ...]
) -> None:
    analyst, job = build("result", kinds=kinds)
    analyst.analyze(job)
    made = {o["kind"] for o in ledger.list_objects(job)}
    assert ("RTSTRUCT" in made) is ("RTSTRUCT" in kinds)


def test_not_analyzed_is_an_outcome_with_objects(build: Build, ledger: Ledger) -> None:
    analyst, job = build("not-analyzed")
    analyst.analyze(job)
    found = ledger.find_job(job)
    assert found is not None
    assert (found["outcome"], found["reason"]) == ("not-analyzed", "No eligible series")
    assert {o["kind"] for o in ledger.list_objects(job)} == {"SR", "SC"}


def test_a_failing_engine_ends_in_the_dead_letters(build: Build, ledger: Ledger) -> None:
    analyst, job = build("crash")
    analyst.analyze(job)
    assert state_of(ledger, job) == "queued"
    analyst.analyze(job)
    assert state_of(ledger, job) == "dead-letter"
    assert list(analyst.results.iterdir()) == []


def test_a_result_for_another_study_is_never_delivered(build: Build, ledger: Ledger) -> None:
    analyst, job = build("foreign", attempts=1)
    analyst.analyze(job)
    found = ledger.find_job(job)
    assert found is not None
    assert found["state"] == "dead-letter"
    assert "another study" in found["reason"]


def test_after_a_crash_behind_the_engine_it_is_not_run_again(build: Build, ledger: Ledger) -> None:
    """The result folder is there, the database does not know: a hanging engine stays unused."""
    analyst, job = build("result")
    analyst.analyze(job)
    with ledger.index.engine.begin() as connection:
        connection.exec_driver_sql("update jobs set state = 'analyzing', outcome = ''")
        connection.exec_driver_sql("delete from objects")
        connection.exec_driver_sql("delete from deliveries")
    before = {p.name: p.stat().st_mtime_ns for p in (analyst.results / job).iterdir()}
    analyst.analyze(job)
    assert state_of(ledger, job) == "delivering"
    assert {p.name: p.stat().st_mtime_ns for p in (analyst.results / job).iterdir()} == before


def test_a_later_result_names_the_report_before_it(build: Build, ledger: Ledger) -> None:
    analyst, first = build("result")
    analyst.analyze(first)
    analyst, second = build("result", late=True)
    analyst.analyze(second)
    old = dcmread(analyst.results / first / "sr.dcm")
    new = dcmread(analyst.results / second / "sr.dcm")
    series = new.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID


def test_a_switched_model_keeps_its_results_in_the_shadow(build: Build, ledger: Ledger) -> None:
    analyst, job = build("result")
    ledger.index.set_switch("model:", "shadow")
    analyst.analyze(job)
    assert state_of(ledger, job) == "shadow"


def test_the_first_published_result_stays(tmp_path: Path) -> None:
    """Two hosts finish the same job: one result, whole."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "outcome.json").write_text(json.dumps(name))
        publish(tmp_path / name, tmp_path / "final")
    assert json.loads((tmp_path / "final" / "outcome.json").read_text()) == "first"


def test_objects_are_read_by_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("x")
    write_files(make_ct(slices=1), tmp_path)
    assert read_objects(tmp_path, "any") == []
    (capture,) = make_ct(slices=1)
    capture.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    write_files([capture], tmp_path)
    with pytest.raises(EngineRunError, match="SC of the result belongs to another study"):
        read_objects(tmp_path, "1.2.3")


@pytest.mark.parametrize(
    ("uid", "kind"),
    [
        ("1.2.840.10008.5.1.4.1.1.66.7", "SEG"),
        ("1.2.840.10008.5.1.4.1.1.88.34", "SR"),
        ("1.2.840.10008.5.1.4.1.1.7.4", "SC"),
        ("1.2.840.10008.5.1.4.1.1.77.1", None),
        ("1.2.840.10008.5.1.4.1.1.104.1", "PDF"),
    ],
)
def test_kinds_go_by_sop_class(uid: str, kind: str | None) -> None:
    assert kind_of(uid) == kind


def test_only_listed_files_of_a_result_are_found(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(UnknownStudyError):
        find_result_file(ledger, tmp_path, "job", "../secret")


def test_clinical_data_that_is_not_there_is_noted_and_costs_nothing(
    tmp_path: Path, index: Index, ledger: Ledger, build: Build
) -> None:
    _, job = build("result")
    ehr = {"name": "EHR", "base_url": f"http://127.0.0.1:{free_port()}/fhir", "attempts": 1}
    configuration = build_configuration(
        tmp_path / "state",
        analysis={"command": [sys.executable, str(RECORDED_ENGINE), "result"]},
        clinical={"fhir": [ehr]},
    )
    Analyst(configuration, ledger).analyze(job)
    assert state_of(ledger, job) == "delivering"
    found = ledger.find_job(job)
    assert found is not None
    texts = [e["text"] for e in index.list_events(found["study_uid"])]
    assert "EHR: clinical data not available: no connection (ConnectError)" in texts
