"""Delivery by STOW-RS: only what failed is sent again, and nothing counts until it is shown."""

from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from dicom_node.audit import AuditTrail
from dicom_node.delivery import Courier
from dicom_node.dispatch import Dispatch
from dicom_node.index import Index
from dicom_node.ledger import Ledger, ResultObject
from dicom_node.peers import PeerClient
from dicom_node.transfers import Transfers
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.test_ledger import make_job, state_of
from tests.dicom_node.testbed import make_ct, write_files
from tests.dicom_node.web_server import Answer, Reply, Seen, dicom_json, store_answer, web_server

KINDS = ("SEG", "SC", "PDF", "SR")


class Delivery:
    """One job with four objects and a server that answers as the test says."""

    def __init__(self, folder: Path, index: Index, ledger: Ledger, url: str, **more: Any) -> None:  # noqa: ANN401
        destination = {"name": "pacs", "web": "web", **more}
        self.configuration = build_configuration(
            folder, web=[{"name": "web", "url": url}], destination=[destination]
        )
        self.ledger, self.index = ledger, index
        self.job = make_job(index, ledger, 1)
        results = self.configuration.shared / "results" / self.job
        paths = write_files(make_ct(slices=4), results)
        self.uids = [f"2.25.{n}" for n in range(4)]
        for path, uid in zip(paths, self.uids, strict=True):
            dataset = dcmread(path)
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
            dataset.save_as(path)
        ledger.start_analysis(self.job, "h")
        made = [
            ResultObject(sop_instance_uid=uid, sop_class_uid="1.2", kind=kind, name=path.name)
            for uid, kind, path in zip(self.uids, KINDS, paths, strict=True)
        ]
        ledger.finish_analysis(
            self.job, outcome="result", reason="", results=made, destinations=["pacs"]
        )

    def attempt(self) -> tuple[str, str]:
        """Deliver once; the job's state and the delivery's reason."""
        dispatch, audit = Dispatch(self.index.engine), AuditTrail(self.configuration)
        courier = Courier(self.configuration, self.ledger, dispatch, PeerClient("N"), audit)
        courier.deliver(self.job, "pacs")
        row = dispatch.find_delivery(self.job, "pacs")
        assert row is not None
        self.pause = courier.pause_before(row)
        return state_of(self.ledger, self.job), row["reason"]


class Server:
    """Stores what the test lets it store and shows it by QIDO-RS."""

    def __init__(self) -> None:
        self.shown: set[str] = set()
        self.refused: dict[str, int] = {}
        self.hides = False

    def __call__(self, seen: Seen) -> Answer:
        if seen.method == "GET":
            shown = set() if self.hides else self.shown
            return dicom_json([{"00080018": {"vr": "UI", "Value": [u]}} for u in sorted(shown)])
        taken = [u for u in seen.uids if u not in self.refused]
        self.shown |= set(taken)
        failed = {u: c for u, c in self.refused.items() if u in seen.uids}
        return store_answer(taken, failed, 202 if failed else 200)


def stores(requests: list[Seen]) -> list[list[str]]:
    return [r.uids for r in requests if r.method == "POST"]


def test_a_result_is_stored_and_found(tmp_path: Path, index: Index, ledger: Ledger) -> None:
    """The SR names the others, so it goes last."""
    with web_server(Server()) as (url, requests):
        delivery = Delivery(tmp_path, index, ledger, url)
        state, reason = delivery.attempt()
    assert (state, reason) == (
        "delivered",
        "pacs: SEG, SC, PDF, SR stored by STOW-RS and found by QIDO-RS",
    )
    assert stores(requests) == [delivery.uids]


def test_only_what_failed_is_sent_again(tmp_path: Path, index: Index, ledger: Ledger) -> None:
    server = Server()
    with web_server(server) as (url, requests):
        delivery = Delivery(tmp_path, index, ledger, url)
        server.refused = {delivery.uids[1]: 0xA700, delivery.uids[3]: 0xC000}
        state, reason = delivery.attempt()
        assert (state, reason) == (
            "delivering",
            "2 of 4 objects not stored: SC 0xA700, SR 0xC000",
        )
        server.refused = {}
        assert delivery.attempt()[0] == "delivered"
    assert stores(requests) == [delivery.uids, [delivery.uids[1], delivery.uids[3]]]


def test_what_is_taken_and_not_shown_is_sent_again(
    tmp_path: Path, index: Index, ledger: Ledger
) -> None:
    server = Server()
    server.hides = True
    with web_server(server) as (url, requests):
        delivery = Delivery(tmp_path, index, ledger, url)
        assert delivery.attempt() == (
            "delivering",
            "web took but does not show SEG, SC, PDF, SR",
        )
        server.hides = False
        assert delivery.attempt()[0] == "delivered"
    assert stores(requests) == [delivery.uids, delivery.uids]


def test_a_busy_server_is_left_alone_as_long_as_it_asks(
    tmp_path: Path, index: Index, ledger: Ledger
) -> None:
    """Retry-After outlasts our own pause and is kept in the database."""

    def reply(_: Seen) -> Answer:
        return 503, {"Retry-After": "600"}, b""

    with web_server(reply) as (url, _):
        delivery = Delivery(tmp_path, index, ledger, url, first_retry_seconds=1.0)
        assert delivery.attempt() == ("delivering", "web answered 503: try later")
    assert 595 < delivery.pause <= 600
    assert Transfers(index.engine).seconds_held(delivery.job, "pacs") > 595


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (lambda _: (401, {}, b""), "web answered 401 Unauthorized"),
        (lambda _: None, "web: RemoteProtocolError"),
        (lambda s: store_answer(s.uids[:1], {}, 202), "3 of 4 objects not stored: SC (no word"),
    ],
)
def test_a_failed_try_says_why(
    tmp_path: Path, index: Index, ledger: Ledger, reply: Reply, told: str
) -> None:
    with web_server(reply) as (url, _):
        state, reason = Delivery(tmp_path, index, ledger, url).attempt()
    assert state == "delivering"
    assert reason.startswith(told)


def test_without_confirmation_a_plain_200_is_enough_and_warnings_are_said(
    tmp_path: Path, index: Index, ledger: Ledger
) -> None:
    def reply(seen: Seen) -> Answer:
        return store_answer(seen.uids, warnings={seen.uids[0]: 0xB007})

    with web_server(reply) as (url, requests):
        delivery = Delivery(tmp_path, index, ledger, url, confirm="none")
        assert delivery.attempt() == (
            "delivered",
            "pacs: SEG, SC, PDF, SR stored by STOW-RS with warnings for SEG 0xB007",
        )
    assert [r.method for r in requests] == ["POST"]


def test_an_unreadable_202_never_counts_without_a_read_back(
    tmp_path: Path, index: Index, ledger: Ledger
) -> None:
    with web_server(lambda _: (202, {}, b"<xml/>")) as (url, _):
        state, _ = Delivery(tmp_path, index, ledger, url, confirm="none").attempt()
    assert state == "delivering"
