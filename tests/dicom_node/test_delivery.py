"""Deliveries: confirmed or tried again, never silently given up."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_node.audit import AuditTrail
from dicom_node.delivery import Courier, pause_before_try
from dicom_node.dispatch import Dispatch
from dicom_node.errors import PeerError
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.peers import CommitmentNotOfferedError, PeerClient, TakeReport
from dicom_node.settings import Configuration, Destination, Peer
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.test_ledger import finish, make_job, state_of

UID = "2.25.1"


class FakePeer(PeerClient):
    """A PACS that does what the test says."""

    def __init__(self, *, commits: str = "all", shows: bool = True, takes: bool = True) -> None:
        self.commits, self.shows, self.takes = commits, shows, takes
        self.stored: list[str] = []

    def store(self, peer: Peer, files: Sequence[Path]) -> None:
        if not self.takes:
            raise PeerError(f"{peer.name}: no connection")
        self.stored += [path.name for path in files]

    def request_commitment(
        self, peer: Peer, transaction_uid: str, references: Sequence[tuple[str, str]],
        take_report: TakeReport,
    ) -> None:  # fmt: skip
        if self.commits == "not offered":
            raise CommitmentNotOfferedError(f"{peer.name} offers none")
        report = Dataset()
        report.TransactionUID = transaction_uid
        items = []
        for sop_class_uid, uid in references:
            item = Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class_uid, uid
            item.FailureReason = 0x0112
            items.append(item)
        setattr(
            report,
            "ReferencedSOPSequence" if self.commits == "all" else "FailedSOPSequence",
            items,
        )
        if self.commits != "silent":
            take_report(report)

    def find_instances(self, peer: Peer, study_uid: str) -> set[str]:
        return {UID} if self.shows else set()


@pytest.fixture
def job_id(index: Index, ledger: Ledger) -> str:
    job_id = make_job(index, ledger, 1)
    ledger.start_analysis(job_id, "h")
    finish(ledger, job_id, uid=UID)
    return job_id


def deliver(
    configuration: Configuration, ledger: Ledger, job_id: str, client: FakePeer
) -> tuple[str, str]:
    dispatch = Dispatch(ledger.index.engine)
    Courier(configuration, ledger, dispatch, client, AuditTrail(configuration)).deliver(
        job_id, "pacs"
    )
    row = dispatch.find_delivery(job_id, "pacs")
    assert row is not None
    return state_of(ledger, job_id), row["reason"]


def test_a_committed_result_is_delivered(
    configuration: Configuration, ledger: Ledger, job_id: str
) -> None:
    state, reason = deliver(configuration, ledger, job_id, FakePeer())
    assert (state, reason) == ("delivered", "pacs: SR stored and committed")


def test_without_commitment_the_result_is_read_back(
    configuration: Configuration, ledger: Ledger, job_id: str
) -> None:
    state, reason = deliver(configuration, ledger, job_id, FakePeer(commits="not offered"))
    assert (state, reason) == ("delivered", "pacs: SR stored and found by C-FIND")


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        (FakePeer(takes=False), "pacs: no connection"),
        (FakePeer(commits="none"), "1 objects not committed (0x0112)"),
        (FakePeer(commits="not offered", shows=False), "pacs took but does not show SR"),
    ],
)
def test_an_unconfirmed_result_stays_planned_with_the_reason(
    configuration: Configuration, ledger: Ledger, job_id: str, client: FakePeer, reason: str
) -> None:
    assert deliver(configuration, ledger, job_id, client) == ("delivering", reason)


def test_a_missing_report_is_waited_for_and_then_tried_again(
    tmp_path: Path, ledger: Ledger, job_id: str
) -> None:
    destination = {"name": "pacs", "peer": "pacs", "confirm_seconds": 0.1}
    peer = {"name": "pacs", "ae_title": "P", "host": "h", "port": 104}
    configuration = build_configuration(tmp_path, destination=[destination], peer=[peer])
    state, reason = deliver(configuration, ledger, job_id, FakePeer(commits="silent"))
    assert (state, reason) == ("delivering", "No commitment report within 0.1 s")


def test_after_long_enough_a_delivery_is_a_dead_letter(
    tmp_path: Path, ledger: Ledger, job_id: str
) -> None:
    destination = {"name": "pacs", "peer": "pacs", "give_up_days": 0.0}
    peer = {"name": "pacs", "ae_title": "P", "host": "h", "port": 104}
    configuration = build_configuration(tmp_path, destination=[destination], peer=[peer])
    state, reason = deliver(configuration, ledger, job_id, FakePeer(takes=False))
    assert state == "dead-letter"
    assert reason == "Given up after 1 tries: pacs: no connection"


def test_a_delivered_result_is_not_sent_again(
    configuration: Configuration, ledger: Ledger, job_id: str
) -> None:
    client = FakePeer()
    deliver(configuration, ledger, job_id, client)
    deliver(configuration, ledger, job_id, client)
    assert client.stored == ["sr.dcm"]


def test_pauses_double_up_to_the_longest() -> None:
    destination = Destination(name="d", peer="p", first_retry_seconds=10, maximum_retry_seconds=100)
    pauses = [pause_before_try(tries, destination) for tries in range(7)]
    assert pauses == [0, 10, 20, 40, 80, 100, 100]
