"""Priors from a real Orthanc: C-FIND with C-GET and with C-MOVE, QIDO-RS with WADO-RS."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from tests.acceptance.node.viewer_site import DICOMWEB_PLUGIN
from tests.dicom_node.testbed import (
    ORTHANC_TITLE,
    Node,
    Orthanc,
    make_ct,
    store,
    wait_until,
    write_files,
)

pytestmark = pytest.mark.peer

PRIOR_TITLE = "HEPATOPRIOR"
WAYS = {
    "get": 'peer = "pacs"',
    "move": f'peer = "pacs"\nmethod = "move"\nmove_title = "{PRIOR_TITLE}"',
    "web": 'web = "pacs"',
}


class Archive(Orthanc):
    """Orthanc that answers C-GET and C-MOVE to both titles of the node, and DICOMweb."""

    def _configuration(self, folder: Path, node_port: int, script: Path) -> dict[str, Any]:
        base = super()._configuration(folder, node_port, script)
        prior = {"AET": PRIOR_TITLE, "Host": "127.0.0.1", "Port": node_port}
        return {
            **base,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "DicomModalities": {**base["DicomModalities"], "prior": prior},
            "Plugins": [DICOMWEB_PLUGIN],
        }


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, Node]]:
    folder = tmp_path_factory.mktemp("archive")
    node = Node(folder / "node")
    pacs = Archive(folder / "pacs", node.port, route=False).start()
    try:
        yield pacs, node
    finally:
        pacs.stop()


def send(pacs: Archive, folder: Path, patient: str, day: str, **changes: str) -> str:
    images = make_ct(patient=patient)
    for image in images:
        image.StudyDate = day
        for name, value in changes.items():
            setattr(image, name, value)
    study = str(images[0].StudyInstanceUID)
    assert store(pacs.dicom_port, write_files(images, folder / study), called=ORTHANC_TITLE) == 0
    return study


def rows(node: Node, state: str, sql: str, *values: str) -> list[Any]:
    with closing(sqlite3.connect(node.folder / state / "node.sqlite")) as connection:
        made = {name for (name,) in connection.execute("select name from sqlite_master")}
        return connection.execute(sql, values).fetchall() if "prior_searches" in made else []


@pytest.mark.parametrize("way", list(WAYS))
def test_earlier_liver_studies_come_from_the_archive(
    archive: tuple[Archive, Node], tmp_path: Path, way: str
) -> None:
    """Two of five studies fit; they lie apart, and only the current one is analyzed."""
    pacs, node = archive
    patient = f"PRIOR-{way}"
    fits = [send(pacs, tmp_path, patient, day) for day in ("20250601", "20240601")]
    send(pacs, tmp_path, patient, "20190101")  # too old
    send(pacs, tmp_path, patient, "20250701", BodyPartExamined="HEAD", StudyDescription="CT HEAD")
    send(pacs, tmp_path, "SOMEBODY-ELSE", "20250601")
    extra = f"""
[[web]]
name = "pacs"
url = "http://127.0.0.1:{pacs.http_port}/dicom-web"
[[rule]]
name = "liver"
priors = "liver before"
[[prior]]
name = "liver before"
{WAYS[way]}
body_parts = ["ABDOMEN"]
maximum_studies = 3
maximum_age_days = 1500
attempts = 1
"""
    node.configure(
        pacs.dicom_port, extra=extra, dashboard="enabled = false", state=way
    ).start()  # fmt: skip
    try:
        images = make_ct(patient=patient)
        study = str(images[0].StudyInstanceUID)
        files = write_files(images, tmp_path / "current")
        assert store(node.port, files, called="HEPATOCAST") == 0
        sql = "select state, reason from prior_searches where study_uid=?"
        wait_until(
            lambda: [s for s, _ in rows(node, way, sql, study) if s in ("done", "failed")],
            seconds=60,
            what="the search is over",
        )
        ((state, reason),) = rows(node, way, sql, study)
        assert state == "done", reason
        assert "2 earlier studies ready" in reason
        found = rows(node, way, "select prior_study_uid, state, place, instances from priors")
        assert {(uid, s, n) for uid, s, _, n in found} == {(uid, "fetched", 4) for uid in fits}
        for uid, _, place, _ in found:
            shelved = list((node.folder / way / place).glob("*.dcm"))
            assert {dcmread(p).StudyInstanceUID for p in shelved} == {uid}
            assert len(shelved) == 4
            assert len(dcmread(shelved[0]).pixel_array) == 16
        wait_until(
            lambda: rows(node, way, "select 1 from jobs where state='delivered'"),
            seconds=60,
            what="the current study is delivered",
        )
        assert rows(node, way, "select study_uid from studies") == [(study,)]
        assert rows(node, way, "select count(*) from jobs") == [(1,)]
    finally:
        node.stop()


def test_an_archive_that_is_down_is_said_and_blocks_nothing(
    archive: tuple[Archive, Node], tmp_path: Path
) -> None:
    """The current study is delivered elsewhere while the archive of priors does not answer."""
    pacs, node = archive
    extra = """
[[web]]
name = "dead"
url = "http://127.0.0.1:9/dicom-web"
[[rule]]
name = "liver"
priors = "before"
[[prior]]
name = "before"
web = "dead"
attempts = 2
retry_seconds = 0.2
"""
    node.configure(
        pacs.dicom_port, extra=extra, dashboard="enabled = false", state="down"
    ).start()  # fmt: skip
    try:
        files = write_files(make_ct(patient="DOWN"), tmp_path / "current")
        assert store(node.port, files, called="HEPATOCAST") == 0
        wait_until(
            lambda: rows(node, "down", "select 1 from jobs where state='delivered'"),
            seconds=60,
            what="delivered",
        )
        wait_until(
            lambda: rows(node, "down", "select 1 from prior_searches where state='failed'"),
            seconds=30,
            what="the search was given up",
        )
        texts = [t for (t,) in rows(node, "down", "select text from events where kind='priors'")]
        assert [t.partition(":")[0] for t in texts] == [
            "Earlier studies, try 1 of 2",
            "Earlier studies, try 2 of 2",
        ]
        assert all("ConnectError" in json.dumps(t) for t in texts)
    finally:
        node.stop()
