"""Commitment notes: reports first, requests in their time, nothing that stops the others."""

from pathlib import Path

import pytest

from dicom_node.dispatch import Dispatch
from dicom_node.errors import PeerError
from dicom_node.index import Index
from dicom_node.note_desk import FIRST_PAUSE, TRIES, NoteDesk
from dicom_node.notes import REPORT, REQUEST
from dicom_node.settings import Configuration, Peer
from dicom_node.spool import Spool
from tests.dicom_node.test_completeness import STUDY, Clock, arrive


class Client:
    """Takes reports, or cannot be reached."""

    def __init__(self) -> None:
        self.is_away = False
        self.calls = 0
        self.reported: list[tuple[list[tuple[str, str]], list[tuple[str, str]]]] = []

    def report_commitment(
        self, _peer: Peer, _transaction: str, held: list[tuple[str, str]],
        missing: list[tuple[str, str]],
    ) -> None:  # fmt: skip
        self.calls += 1
        if self.is_away:
            raise PeerError("no connection")
        self.reported.append((held, missing))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def desk(
    configuration: Configuration, spool: Spool, index: Index, client: Client, clock: Clock
) -> NoteDesk:
    dispatch = Dispatch(index.engine)
    return NoteDesk(configuration, spool, index, dispatch, client, clock=clock)  # type: ignore[arg-type]


def ask(spool: Spool, *uids: str, title: str = "PACS") -> None:
    note = {"transaction_uid": "2.25.1", "failed": [], "peer_title": title}
    spool.put_note(REQUEST, {**note, "committed": [["1.2", uid] for uid in uids]})


def answer(desk: NoteDesk) -> None:
    desk.release_requests(desk.list_requests())
    desk.answer_requests()


def test_a_request_is_answered_with_what_is_held(
    desk: NoteDesk, spool: Spool, index: Index, client: Client
) -> None:
    arrive(index, 1)
    ask(spool, f"{STUDY}.1", "9.9")
    answer(desk)
    assert client.reported == [([("1.2", f"{STUDY}.1")], [("1.2", "9.9")])]
    assert list(spool.notes.iterdir()) == []


def test_a_request_waits_until_what_came_before_it_is_in_the_index(
    desk: NoteDesk, spool: Spool, client: Client
) -> None:
    ask(spool, "1.2.3")
    desk.answer_requests()
    assert client.calls == 0
    answer(desk)
    assert client.calls == 1


def test_a_peer_that_is_away_is_tried_less_and_less_and_at_last_given_up(
    desk: NoteDesk, spool: Spool, client: Client, clock: Clock
) -> None:
    client.is_away = True
    ask(spool, "1.2.3")
    for _ in range(3):
        answer(desk)
    assert client.calls == 1
    clock.seconds = FIRST_PAUSE
    answer(desk)
    assert client.calls == 2
    clock.seconds = 2 * FIRST_PAUSE
    answer(desk)
    assert client.calls == 2
    for _ in range(TRIES):
        clock.seconds += 1000.0
        answer(desk)
    assert client.calls == TRIES
    assert list(spool.notes.iterdir()) == []


def test_a_stranger_gets_no_answer(desk: NoteDesk, spool: Spool, client: Client) -> None:
    ask(spool, "1.2.3", title="STRANGER")
    answer(desk)
    assert (client.calls, list(spool.notes.iterdir())) == (0, [])


def test_a_report_is_entered_and_an_unreadable_one_laid_aside(
    desk: NoteDesk, spool: Spool, index: Index
) -> None:
    """A damaged note must neither end the worker nor hold up the next one."""
    dispatch = Dispatch(index.engine)
    dispatch.open_transaction("2.25.7", "job", "pacs")
    (spool.notes / f"0.damaged.{REPORT}.json").write_bytes(b"{")
    note = {"transaction_uid": "2.25.7", "committed": [["1.2", "5"]], "peer_title": "PACS"}
    spool.put_note(REPORT, {**note, "failed": [["1.2", "6", 0x0112]]})
    desk.enter_reports()
    found = dispatch.read_answer("2.25.7")
    assert found is not None
    assert (found.committed, found.failed) == (frozenset({"5"}), {"6": 0x0112})
    assert list(spool.notes.iterdir()) == []
    assert len(list((spool.notes.parent / "aside").iterdir())) == 1
