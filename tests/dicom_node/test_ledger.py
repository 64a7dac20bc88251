"""Jobs: the same images make the same job; every change depends on the state before."""

import time

import pytest

from dicom_node.dispatch import Dispatch
from dicom_node.index import Index
from dicom_node.ledger import Ledger, ResultObject, identify_job
from dicom_node.settings import Rule
from tests.dicom_node.test_completeness import STUDY, arrive

RULE = Rule(name="r")


def make_job(index: Index, ledger: Ledger, *numbers: int, rule: Rule = RULE) -> str:
    arrive(index, *numbers)
    rows = index.list_instances(STUDY)
    job_id = ledger.create_job(STUDY, rows, rule, {"text": "test"}, seen_instances=len(rows))
    assert job_id is not None
    return job_id


def state_of(ledger: Ledger, job_id: str) -> str:
    job = ledger.find_job(job_id)
    assert job is not None
    return str(job["state"])


def finish(ledger: Ledger, job_id: str, *, outcome: str = "result", uid: str = "2.25.1") -> bool:
    result = ResultObject(sop_instance_uid=uid, sop_class_uid="1.2", kind="SR", name="sr.dcm")
    return ledger.finish_analysis(
        job_id, outcome=outcome, reason="", results=[result], destinations=["pacs"]
    )


def test_a_job_is_named_by_its_images(index: Index) -> None:
    """Order does not matter; content does."""
    arrive(index, 1, 2)
    rows = index.list_instances(STUDY)
    assert identify_job(STUDY, rows) == identify_job(STUDY, rows[::-1])
    assert identify_job(STUDY, rows) != identify_job(STUDY, rows[:1])


def test_no_job_is_made_while_instances_still_come(index: Index, ledger: Ledger) -> None:
    arrive(index, 1)
    rows = index.list_instances(STUDY)
    arrive(index, 2)
    assert ledger.create_job(STUDY, rows, RULE, {"text": ""}, seen_instances=1) is None
    assert [study for study, *_ in index.list_receiving()] == [STUDY]


def test_a_job_ends_delivered_when_every_delivery_has(index: Index, ledger: Ledger) -> None:
    job_id, dispatch = make_job(index, ledger, 1), Dispatch(index.engine)
    assert ledger.start_analysis(job_id, "h")
    assert finish(ledger, job_id)
    ledger.settle(job_id)
    assert state_of(ledger, job_id) == "delivering"
    dispatch.end_delivery(job_id, "pacs", "delivered", "stored")
    ledger.settle(job_id)
    assert state_of(ledger, job_id) == "delivered"
    study = index.find_study(STUDY)
    assert study is not None
    assert study["state"] == "done"


def test_a_dead_delivery_is_a_dead_letter_and_can_be_retried(index: Index, ledger: Ledger) -> None:
    """The retry delivers again and does not analyze again."""
    job_id, dispatch = make_job(index, ledger, 1), Dispatch(index.engine)
    ledger.start_analysis(job_id, "h")
    finish(ledger, job_id)
    dispatch.end_delivery(job_id, "pacs", "dead", "gone")
    ledger.settle(job_id)
    assert state_of(ledger, job_id) == "dead-letter"
    job = ledger.retry(job_id)
    assert job is not None
    assert (job["state"], job["run"]) == ("delivering", 2)
    assert [row["state"] for row in dispatch.list_planned()] == ["planned"]


def test_failures_are_counted_up_to_the_limit(index: Index, ledger: Ledger) -> None:
    job_id = make_job(index, ledger, 1)
    ledger.start_analysis(job_id, "h")
    assert ledger.fail_analysis(job_id, "first", limit=2) == 1
    assert state_of(ledger, job_id) == "queued"
    ledger.start_analysis(job_id, "h")
    assert ledger.fail_analysis(job_id, "second", limit=2) is None
    assert state_of(ledger, job_id) == "dead-letter"


def test_more_images_supersede_an_unfinished_analysis(index: Index, ledger: Ledger) -> None:
    """Its late result is not taken any more."""
    old = make_job(index, ledger, 1)
    ledger.start_analysis(old, "h")
    new = make_job(index, ledger, 2)
    assert state_of(ledger, old) == "superseded"
    assert not ledger.note_progress(old, "lesions", 0.5)
    assert not finish(ledger, old)
    job = ledger.find_job(new)
    assert job is not None
    assert job["predecessor"] == ""


def test_more_images_after_a_result_name_the_predecessor(index: Index, ledger: Ledger) -> None:
    old = make_job(index, ledger, 1)
    ledger.start_analysis(old, "h")
    finish(ledger, old)
    job = ledger.find_job(make_job(index, ledger, 2))
    assert job is not None
    assert job["predecessor"] == old


def test_a_cancelled_job_is_not_begun(index: Index, ledger: Ledger) -> None:
    job_id = make_job(index, ledger, 1)
    assert ledger.cancel(job_id)
    assert not ledger.start_analysis(job_id, "h")
    assert not ledger.cancel(job_id)


def test_a_shadow_job_keeps_its_result_and_delivers_nothing(index: Index, ledger: Ledger) -> None:
    job_id = make_job(index, ledger, 1, rule=Rule(name="s", shadow=True))
    ledger.start_analysis(job_id, "h")
    assert finish(ledger, job_id)
    assert state_of(ledger, job_id) == "shadow"
    assert Dispatch(index.engine).list_planned() == []


def test_a_result_that_comes_back_is_known_as_ours(index: Index, ledger: Ledger) -> None:
    """It does not open the study again."""
    job_id = make_job(index, ledger, 1)
    ledger.start_analysis(job_id, "h")
    finish(ledger, job_id, uid=f"{STUDY}.7")
    arrive(index, 7, modality="SR")
    assert [row["is_own"] for row in index.list_instances(STUDY)] == [False, True]
    study = index.find_study(STUDY)
    assert study is not None
    assert study["state"] == "in work"


@pytest.mark.parametrize("state", ["queued", "delivered"])
def test_only_dead_or_cancelled_jobs_are_retried(index: Index, ledger: Ledger, state: str) -> None:
    job_id = make_job(index, ledger, 1)
    if state == "delivered":
        ledger.start_analysis(job_id, "h")
        finish(ledger, job_id)
        Dispatch(index.engine).end_delivery(job_id, "pacs", "delivered", "")
        ledger.settle(job_id)
    assert ledger.retry(job_id) is None


def test_a_clock_set_back_leaves_the_order_of_a_studys_jobs(
    index: Index, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_job(index, ledger, 1)
    ledger.start_analysis(first, "h")
    finish(ledger, first)
    yesterday = time.time() - 86400
    monkeypatch.setattr("dicom_node.ledger.time.time", lambda: yesterday)
    second = make_job(index, ledger, 2)
    ledger.start_analysis(second, "h")
    finish(ledger, second, uid="2.25.2")
    third = make_job(index, ledger, 3)
    assert [job["job_id"] for job in ledger.list_jobs(study_uid=STUDY)] == [first, second, third]
    found = ledger.find_job(third)
    assert found is not None
    assert found["predecessor"] == second
