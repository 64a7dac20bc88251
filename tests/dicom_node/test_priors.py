"""Priors: beside the current study, never in its way; bounded; of the right patient only."""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_node.audit import AuditTrail
from dicom_node.errors import PeerError
from dicom_node.inbox import Inbox
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.peers import PeerClient
from dicom_node.prior_choice import PriorSeries, PriorStudy
from dicom_node.prior_shelf import Identity, PriorShelf
from dicom_node.prior_sources import check_key
from dicom_node.priors import Priors
from dicom_node.retention import Retention
from dicom_node.schema import create_tables, open_database
from dicom_node.settings import Configuration, Rule
from dicom_node.spool import Spool
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.testbed import make_ct

RULE = Rule(name="liver", priors="old")


class FakeSource:
    """A PACS that holds what the test says."""

    def __init__(self) -> None:
        self.studies: dict[str, list[Dataset]] = {}
        self.error: PeerError | None = None
        self.asked: list[tuple[Identity, date]] = []
        self.fetched: list[str] = []

    def hold(self, images: list[Dataset]) -> str:
        uid = str(images[0].StudyInstanceUID)
        self.studies[uid] = images
        return uid

    def find(self, identity: Identity, study_date: date) -> list[PriorStudy]:
        self.asked.append((identity, study_date))
        check_key(identity)
        if self.error is not None:
            raise self.error
        return [
            PriorStudy(
                study_uid=uid, study_date=str(images[0].StudyDate), description="",
                series=(
                    PriorSeries(
                        series_uid=str(images[0].SeriesInstanceUID), modality="CT",
                        instances=len(images),
                    ),
                ),
                source="pacs",
            )
            for uid, images in self.studies.items()
        ]  # fmt: skip

    def fetch(self, study: PriorStudy, shelf: PriorShelf) -> None:
        self.fetched.append(study.study_uid)
        for image in self.studies[study.study_uid]:
            slip = shelf.open_slip()
            image.save_as(slip, enforce_file_format=True)
            shelf.keep(slip)


class Site:
    """A node with one current study and a source of earlier ones."""

    def __init__(self, folder: Path, **rule: Any) -> None:  # noqa: ANN401
        self.configuration: Configuration = build_configuration(
            folder,
            peer=[{"name": "pacs", "ae_title": "PACS", "host": "127.0.0.1", "port": 104}],
            rule=[{"name": "liver", "priors": "old"}],
            prior=[{"name": "old", "peer": "pacs", "retry_seconds": 0.05, **rule}],
        )
        engine = open_database(self.configuration.database_url)
        create_tables(engine)
        self.index, self.audit = Index(engine), AuditTrail(self.configuration)
        self.ledger, self.source = Ledger(self.index), FakeSource()
        client = PeerClient("NODE")
        self.priors = Priors(
            self.configuration, self.index, client, self.audit,
            open_source=lambda *_: self.source,
        )  # fmt: skip
        self.spool = Spool(self.configuration.spool)
        self.inbox = Inbox(
            self.spool, self.index, self.configuration.shared, self.audit,
            divert=self.priors.divert,
        )  # fmt: skip

    def receive(self, images: list[Dataset]) -> str:
        for image in images:
            path = self.spool.tmp / "x"
            image.save_as(path, enforce_file_format=True)
            size = path.stat().st_size
            path.rename(self.spool.new / f"{time.time_ns()}.{size}.dcm")
        self.inbox.drain()
        return str(images[0].StudyInstanceUID)

    def analyze(self, study: str) -> str:
        rows = self.index.list_instances(study)
        job = self.ledger.create_job(study, rows, RULE, {"text": ""}, seen_instances=len(rows))
        assert job is not None
        return job

    def search(self) -> str:
        """Look until the search is over; what the timeline says last."""
        while self.priors.look() or self.is_pending():
            time.sleep(0.01)
        (study,) = [r for r in self.texts() if r]
        return study[-1]

    def is_pending(self) -> bool:
        row = self.priors.book.find_search(self.study)
        return row is not None and row["state"] not in ("done", "failed")

    def texts(self) -> list[list[str]]:
        return [[e["text"] for e in self.index.list_events(self.study) if e["kind"] == "priors"]]

    study = ""

    def begin(self, **changes: Any) -> str:  # noqa: ANN401
        images = make_ct(patient="P7")
        for image in images:
            for name, value in changes.items():
                setattr(image, name, value)
        self.study = self.receive(images)
        return self.analyze(self.study)

    def states(self) -> dict[str, str]:
        rows = self.priors.book.list_priors(self.study)
        return {row["prior_study_uid"]: row["state"] for row in rows}


def earlier(day: str, *, patient: str = "P7", **changes: Any) -> list[Dataset]:  # noqa: ANN401
    images = make_ct(patient=patient, slices=3)
    for image in images:
        image.StudyDate = day
        for name, value in changes.items():
            setattr(image, name, value)
    return images


Make = Callable[..., Site]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda **rule: Site(tmp_path / "state", **rule)


def test_earlier_studies_are_fetched_listed_and_never_routed(make: Make) -> None:
    site = make()
    site.begin()
    old, older = site.source.hold(earlier("20250101")), site.source.hold(earlier("20240101"))
    assert site.search() == "2 earlier studies ready by rule 'old'"
    ready = site.priors.list_ready(site.study)
    assert [r.study_uid for r in ready] == [old, older]
    assert [len(list(r.folder.glob("*.dcm"))) for r in ready] == [3, 3]
    assert site.index.find_study(old) is None
    assert [row[0] for row in site.index.list_receiving()] == []


def test_a_silent_source_never_blocks_and_is_said(make: Make) -> None:
    """Three tries, then given up; the job has stayed as it was all the time."""
    site = make(attempts=3)
    job = site.begin()
    site.source.error = PeerError("pacs: no connection")
    assert site.search() == (
        "Earlier studies, try 3 of 3: pacs: no connection; given up"
    )  # fmt: skip
    assert [len(t) for t in site.texts()] == [3]
    row = site.ledger.find_job(job)
    assert row is not None
    assert row["state"] == "queued"


def test_what_is_here_already_is_linked_even_when_the_source_is_silent(make: Make) -> None:
    site = make(attempts=1)
    old = site.receive(earlier("20250101"))
    site.index.ignore_study(old, "test")
    site.begin()
    site.source.error = PeerError("pacs: no connection")
    site.search()
    assert site.states() == {old: "here"}
    assert len(list(site.priors.list_ready(site.study)[0].folder.glob("*.dcm"))) == 3


def test_a_wildcard_in_the_patient_id_is_never_asked_for(make: Make) -> None:
    """Patient ID "*" from the network would match every patient of the PACS."""
    for patient in ("*", "P?", "P7\\P8", ""):
        with pytest.raises(PeerError, match="wildcard"):
            check_key(Identity(patient_id=patient))
    site = make()
    site.begin(PatientID="P*")
    site.source.hold(earlier("20250101"))
    assert "holds a wildcard" in site.search()
    assert site.states() == {}


@pytest.mark.parametrize(
    "changes", [{"PatientID": "P8"}, {"PatientBirthDate": "19700101"}]
)  # fmt: skip
def test_images_of_another_patient_are_deleted_and_said(
    make: Make, changes: dict[str, str]
) -> None:
    """The same Patient ID may belong to two people in two archives: birth dates decide."""
    site = make()
    site.begin()
    uid = site.source.hold(earlier("20250101", **changes))
    site.search()
    assert site.states() == {uid: "refused"}
    assert not list((site.configuration.shared / "priors").rglob("*.dcm"))
    assert site.priors.list_ready(site.study) == []


def test_a_prior_larger_than_allowed_is_refused_and_leaves_nothing(make: Make) -> None:
    site = make(maximum_bytes=2000)
    site.begin()
    uid = site.source.hold(earlier("20250101"))
    site.search()
    assert site.states() == {uid: "refused"}
    assert not list((site.configuration.shared / "priors").rglob("*"))


def test_a_prior_that_came_in_part_is_tried_again(make: Make) -> None:
    """The second try brings the rest; nothing is doubled."""
    site = make(attempts=2)
    site.begin()
    images = earlier("20250101")
    uid = site.source.hold(images)
    whole = site.source.fetch

    def broken(study: PriorStudy, shelf: PriorShelf) -> None:
        site.source.fetch = whole  # type: ignore[method-assign]
        site.source.studies[uid] = images[:1]
        whole(study, shelf)
        site.source.studies[uid] = images

    site.source.fetch = broken  # type: ignore[method-assign]
    assert site.search() == "1 earlier study ready by rule 'old'"
    assert "1 of 3 instances came" in site.texts()[0][0]
    assert len(list(site.priors.list_ready(site.study)[0].folder.glob("*.dcm"))) == 3


def test_a_dead_hosts_search_is_taken_over_after_its_lease(make: Make) -> None:
    site = make()
    site.begin()
    site.priors.book.open_searches({"liver": "old"})
    assert site.priors.book.claim("dead", lease_seconds=0.2) is not None
    assert site.priors.book.claim("other", lease_seconds=60) is None
    time.sleep(0.25)
    assert site.priors.book.claim("other", lease_seconds=60) is not None


def test_priors_go_with_the_study_unless_another_needs_them(make: Make) -> None:
    site = make()
    site.begin()
    site.source.hold(earlier("20250101"))
    site.search()
    first = site.study
    folder = site.priors.list_ready(first)[0].folder
    site.begin()
    site.search()
    retention = Retention(site.configuration, site.index.engine, site.audit)
    with site.index.engine.begin() as connection:
        connection.exec_driver_sql("update studies set state = 'done'")
    retention.delete_images(first)
    assert folder.is_dir()
    assert site.priors.list_ready(first) == []
    retention.delete_images(site.study)
    assert not folder.exists()
    assert "earlier studies deleted" in site.index.list_events(site.study)[-1]["text"]


def test_what_comes_to_the_title_for_priors_is_shelved_only_when_asked_for(make: Make) -> None:
    """Unasked, it was acknowledged and is new work: nothing is lost."""
    site = make(method="move", move_title="PRIORS")
    site.begin()
    images = earlier("20250101")
    uid = str(images[0].StudyInstanceUID)
    path = site.configuration.shared / "one.dcm"
    images[0].save_as(path, enforce_file_format=True)
    assert not site.priors.divert(path, uid, "PRIORS")
    prior = PriorStudy(study_uid=uid, study_date="", description="", series=(), source="pacs")
    site.priors.book.enter(site.study, prior, "asked")
    assert not site.priors.divert(path, uid, "HEPATOCAST")
    assert site.priors.divert(path, uid, "PRIORS")
    assert len(list((site.configuration.shared / "priors").rglob("*.dcm"))) == 1


def test_an_analysis_waits_for_its_priors_no_longer_than_allowed(make: Make) -> None:
    site = make(wait_seconds=60.0)
    site.begin()
    now = time.time()
    assert site.priors.is_awaited(site.study, "liver", now)
    assert not site.priors.is_awaited(site.study, "liver", now - 61)
    assert not site.priors.is_awaited(site.study, "another rule", now)
    site.search()
    assert not site.priors.is_awaited(site.study, "liver", now)


def test_an_identity_stays_out_of_logs() -> None:
    assert "P7" not in repr(Identity(patient_id="P7"))
