"""Deliveries and commitment transactions: an end is an end, an answer has a question."""

import pytest

from dicom_node.dispatch import Dispatch
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from tests.dicom_node.test_ledger import finish, make_job


@pytest.fixture
def dispatch(index: Index) -> Dispatch:
    return Dispatch(index.engine)


@pytest.fixture
def job(index: Index, ledger: Ledger) -> str:
    made = make_job(index, ledger, 1)
    ledger.start_analysis(made, "h")
    finish(ledger, made)
    return made


def test_a_failure_is_counted_and_told(dispatch: Dispatch, index: Index, job: str) -> None:
    dispatch.note_failure(job, "pacs", 1, "no connection")
    (row,) = dispatch.list_planned()
    assert (row["tries"], row["reason"], row["run"]) == (1, "no connection", 1)
    assert index.list_events(row_study(index))[-1]["text"] == "pacs, try 1: no connection"


def row_study(index: Index) -> str:
    return str(index.list_worklist()[0]["study_uid"])


def test_what_has_ended_is_not_changed_by_a_late_failure(dispatch: Dispatch, job: str) -> None:
    """Two hosts tried it; the slower one must not undo the success of the faster one."""
    dispatch.end_delivery(job, "pacs", "delivered", "stored and committed")
    dispatch.note_failure(job, "pacs", 5, "no connection")
    dispatch.end_delivery(job, "pacs", "dead", "given up")
    row = dispatch.find_delivery(job, "pacs")
    assert row is not None
    assert (row["state"], row["tries"], row["reason"]) == ("delivered", 0, "stored and committed")
    assert dispatch.list_planned() == []


def test_an_unknown_delivery_is_none(dispatch: Dispatch, job: str) -> None:
    assert dispatch.find_delivery(job, "elsewhere") is None


def test_a_report_answers_its_own_request_only(dispatch: Dispatch, job: str) -> None:
    dispatch.open_transaction("2.25.1", job, "pacs")
    assert dispatch.read_answer("2.25.1") is None
    assert not dispatch.answer_transaction("2.25.2", ["1"], {})
    assert dispatch.read_answer("2.25.2") is None
    assert dispatch.answer_transaction("2.25.1", ["1"], {"2": 274})
    found = dispatch.read_answer("2.25.1")
    assert found is not None
    assert (found.committed, found.failed) == (frozenset({"1"}), {"2": 274})
