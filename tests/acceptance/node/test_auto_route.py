"""Must show 1 and 4: a study routed by Orthanc comes back as results, over real sockets."""

import io
import sqlite3
import urllib.request
from contextlib import closing
from typing import Any

import pytest
from pydicom import dcmread

from tests.acceptance.node.conftest import Site
from tests.dicom_node.testbed import make_ct, store, wait_until, write_files

pytestmark = pytest.mark.peer


def query(site: Site, sql: str, *values: str) -> list[Any]:
    with closing(sqlite3.connect(site.node.folder / "state" / "node.sqlite")) as connection:
        if not connection.execute("select 1 from sqlite_master where name='jobs'").fetchall():
            return []
        return connection.execute(sql, values).fetchall()


def send_to_pacs(site: Site, patient: str, *, study_uid: str | None = None) -> str:
    series = make_ct(patient=patient, study_uid=study_uid)
    study = str(series[0].StudyInstanceUID)
    files = write_files(series, site.folder / str(series[0].SeriesInstanceUID))
    assert store(site.pacs.dicom_port, files, called="TESTPACS") == 0
    return study


def wait_for_state(site: Site, study: str, state: str) -> None:
    def reached() -> bool:
        rows = query(site, "select state from jobs where study_uid=? order by created_at", study)
        return bool(rows) and rows[-1][0] == state

    wait_until(reached, seconds=60, what=f"{study} is {state}")


def test_a_routed_study_comes_back_committed(site: Site) -> None:
    """OnStableStudy → node → SEG, SR, SC and PDF in Orthanc, confirmed by commitment."""
    study = send_to_pacs(site, "result")
    wait_for_state(site, study, "delivered")
    assert site.pacs.modalities(study) == ["CT"] * 4 + ["DOC", "OT", "SEG", "SR"]
    joined = "deliveries join jobs using (job_id) where study_uid=?"
    ((text,),) = query(site, f"select deliveries.reason from {joined}", study)  # noqa: S608
    assert text == "pacs: SEG, SC, PDF, SR stored and committed"
    ((committed,),) = query(
        site,
        "select count(*) from commitments join jobs using (job_id)"
        " where is_answered and study_uid=?",
        study,
    )
    assert committed == 1


def test_a_late_series_gives_a_result_that_names_its_predecessor(site: Site) -> None:
    """Must show 4: the superseding SR refers to the SR that was delivered first."""
    study = send_to_pacs(site, "result")
    wait_for_state(site, study, "delivered")
    (old,) = site_documents(site, study)
    send_to_pacs(site, "result", study_uid=study)
    wait_until(lambda: len(site_documents(site, study)) == 2, seconds=60, what="a second SR")
    (new,) = [d for d in site_documents(site, study) if d.SOPInstanceUID != old.SOPInstanceUID]
    reference = new.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert reference.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID
    wait_for_state(site, study, "delivered")


def site_documents(site: Site, study: str) -> list[Any]:
    """The SR documents of a study as Orthanc holds them."""
    found = []
    for instance in site.pacs.get("/instances?expand"):
        if instance["MainDicomTags"].get("SOPInstanceUID", "").startswith("2.25."):
            url = f"http://127.0.0.1:{site.pacs.http_port}/instances/{instance['ID']}/file"
            with urllib.request.urlopen(url, timeout=10) as answer:
                dataset = dcmread(io.BytesIO(answer.read()))
            if dataset.Modality == "SR" and dataset.StudyInstanceUID == study:
                found.append(dataset)
    return found


def test_a_study_that_cannot_be_analyzed_gets_an_explicit_answer(site: Site) -> None:
    """DESIGN decision 8: SR and SC say "not analyzed"."""
    study = send_to_pacs(site, "not-analyzed")
    wait_for_state(site, study, "not-analyzed")
    assert site.pacs.modalities(study) == ["CT"] * 4 + ["OT", "SR"]


def test_a_poison_study_blocks_nobody_and_can_be_retried(site: Site) -> None:
    """It ends as a dead letter with its reason while others pass; retry begins it again."""
    poison = send_to_pacs(site, "crash")
    healthy = send_to_pacs(site, "result")
    wait_for_state(site, healthy, "delivered")
    wait_for_state(site, poison, "dead-letter")
    ((job, reason),) = query(site, "select job_id, reason from jobs where study_uid=?", poison)
    assert reason == "DeviceError: out of memory"
    assert site.node.command("retry", job).returncode == 0
    wait_until(
        lambda: query(site, "select run from jobs where job_id=? and run=2", job),
        seconds=10,
        what="a second run",
    )
    wait_for_state(site, poison, "dead-letter")
