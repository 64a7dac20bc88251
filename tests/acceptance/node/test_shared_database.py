"""Priors, transfers, switches and the worklist on a real PostgreSQL, as several hosts share it."""

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from dicom_node.dashboard.sessions import Sessions
from dicom_node.dashboard.worklist import Filter, read_worklist
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.prior_book import PriorBook
from dicom_node.prior_choice import PriorStudy
from dicom_node.schema import create_tables, open_database
from dicom_node.settings import Rule
from dicom_node.transfers import Transfers
from tests.acceptance.node.postgres import Postgres
from tests.dicom_node.test_completeness import STUDY, arrive
from tests.dicom_node.test_ledger import make_job

pytestmark = pytest.mark.peer

PRIOR = PriorStudy(study_uid="1.9", study_date="20250102", description="", series=(), source="p")


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    postgres = Postgres()
    try:
        engine = open_database(postgres.url)
        create_tables(engine)
        yield engine
        engine.dispose()
    finally:
        postgres.close()


def test_two_hosts_share_searches_transfers_and_sessions(engine: sa.Engine) -> None:
    """One search is claimed once; what one host wrote the other reads."""
    index = Index(engine)
    job = make_job(index, Ledger(index), 1, rule=Rule(name="liver"))
    book, other = PriorBook(engine), PriorBook(engine)
    assert book.open_searches({"liver": "old"}) == 1
    assert other.open_searches({"liver": "old"}) == 0
    claims = [b.claim(h, lease_seconds=60) for b, h in ((book, "a"), (other, "b"))]
    assert [claim is not None for claim in claims] == [True, False]
    book.enter(STUDY, PRIOR, "asked", place="priors/x")
    book.enter(STUDY, PRIOR, "fetched", instances=3)
    (row,) = other.list_priors(STUDY)
    assert (row["state"], row["place"], row["instances"]) == ("fetched", "priors/x", 3)
    assert other.is_prior("1.9")
    with engine.begin() as connection:
        assert book.mark_deleted(connection, STUDY) == ["priors/x"]
    transfers = Transfers(engine)
    transfers.note_taken(job, "web", {"2.25.1": 0, "2.25.2": 0xB000})
    transfers.note_taken(job, "web", {"2.25.1": 0})
    transfers.forget_taken(job, "web", ["2.25.2"])
    assert transfers.list_taken(job, "web") == {"2.25.1"}
    transfers.hold(job, "web", 100.0)
    transfers.hold(job, "web", 50.0)
    assert 45 < transfers.seconds_held(job, "web") <= 50
    first, second = (Sessions("token-0123456789", hours=1, engine=engine) for _ in range(2))
    session = first.log_in("token-0123456789", "a")
    assert session is not None
    first.end(session)
    first.end(session)
    assert not second.is_valid(session)


def test_the_worklist_filters_in_the_database(engine: sa.Engine) -> None:
    index = Index(engine)
    arrive(index, 1, study="1.2.77")
    for wanted, number in (
        (Filter(words="1.2.77"), 1),
        (Filter(words="1.2.77 pacs%"), 0),
        (Filter(words="1.2.77", state="receiving", days=1, source="PACS"), 1),
        (Filter(words="1.2.77", rule="liver"), 0),
    ):
        assert len(read_worklist(engine, wanted).rows) == number, wanted
    found = read_worklist(engine, Filter())
    assert found.counts["receiving"] >= 1
    assert sum(found.counts.values()) == len(found.rows)
    assert found.rows[0]["last_received_at"] <= time.time()
