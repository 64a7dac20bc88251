"""MLLP: frames, answers, bounds."""

from pathlib import Path

import pytest

from dicom_node.clinical_source.hl7_listener import END, START, MllpLimits
from dicom_node.clinical_source.hl7_store import Hl7Store
from tests.phantoms.hl7_messages import oru
from tests.phantoms.mllp import Peer, run_listener

AFP = "NM|1834-1^AFP^LN||10|ng/mL|||||F"


@pytest.fixture
def store(tmp_path: Path) -> Hl7Store:
    return Hl7Store(tmp_path / "hl7.sqlite")


def test_a_stored_message_is_acknowledged_and_a_repeated_one_again(store: Hl7Store) -> None:
    with run_listener(store) as port, Peer(port) as peer:
        assert b"MSA|AA|c1" in peer.exchange(oru(AFP).encode())
        assert store.count() == 1
        assert b"MSA|AA|c1" in peer.exchange(oru(AFP).encode())
        assert store.count() == 1
    store.close()


def test_an_unusable_message_is_refused_and_the_next_one_is_taken(store: Hl7Store) -> None:
    with run_listener(store) as port, Peer(port) as peer:
        assert b"MSA|AE" in peer.exchange(b"PID|1||4711\r")
        assert b"MSA|AE|x" in peer.exchange(oru(AFP, control="x", charset="KLINGON").encode())
        assert b"MSA|AA|c1" in peer.exchange(oru(AFP).encode())
    assert store.count() == 1
    store.close()


def test_latin_1_and_large_messages_arrive_whole(store: Hl7Store) -> None:
    text = oru(AFP, f"TX|99999-9^Note^L||{'ä' * 200_000}||||||F", charset="8859/1")
    with run_listener(store) as port, Peer(port) as peer:
        assert b"MSA|AA|c1" in peer.exchange(text.encode("latin-1"))
    (stored,) = store.messages_of("4711", "HOSP_A")
    assert len(stored.message.results) == 2
    store.close()


def test_a_message_in_pieces_and_two_in_one_write_are_told_apart(store: Hl7Store) -> None:
    whole = START + oru(AFP, control="p1").encode() + END
    with run_listener(store) as port, Peer(port) as peer:
        peer.write(whole[:20])
        peer.write(whole[20:])
        assert b"MSA|AA|p1" in peer.answer()
        peer.write(whole.replace(b"|p1|P|", b"|p2|P|") + whole.replace(b"|p1|P|", b"|p3|P|"))
        both = peer.answer() + peer.answer() if store.count() < 3 else peer.answer()
        assert b"MSA|AA|p2" in both or b"MSA|AA|p3" in both
    assert store.count() == 3
    store.close()


def test_noise_before_the_start_block_is_refused_and_closes(store: Hl7Store) -> None:
    with run_listener(store) as port, Peer(port) as peer:
        peer.write(b"GET / HTTP/1.1" + END)
        assert b"MSA|AR" in peer.answer()
        assert peer.answer() == b""
    store.close()


def test_a_message_beyond_the_bound_is_refused_and_closes(store: Hl7Store) -> None:
    with run_listener(store, MllpLimits(message_bytes=1000)) as port, Peer(port) as peer:
        peer.write(START + b"M" * 5000)
        assert b"too large" in peer.answer()
    assert store.count() == 0
    store.close()


def test_a_silent_connection_is_closed(store: Hl7Store) -> None:
    with run_listener(store, MllpLimits(idle_s=0.05)) as port, Peer(port) as peer:
        assert peer.answer() == b""
    store.close()


def test_more_connections_than_allowed_are_closed_at_once(store: Hl7Store) -> None:
    with run_listener(store, MllpLimits(connections=1)) as port, Peer(port) as first:
        assert b"MSA|AA" in first.exchange(oru(AFP).encode())
        with Peer(port) as second:
            assert second.answer() == b""
        assert b"MSA|AA" in first.exchange(oru(AFP, control="c2").encode())
    store.close()


def test_a_disk_that_fails_is_not_acknowledged(store: Hl7Store) -> None:
    with run_listener(store) as port, Peer(port) as peer:
        store.close()
        answer = peer.exchange(oru(AFP).encode())
        assert b"MSA|AR|c1|cannot be stored now" in answer


def test_a_sender_that_is_not_configured_is_closed_at_once(store: Hl7Store) -> None:
    limits = MllpLimits(senders=frozenset({"192.0.2.1"}))
    with run_listener(store, limits) as port, Peer(port) as peer:
        assert peer.answer() == b""
    with (
        run_listener(store, MllpLimits(senders=frozenset({"127.0.0.1"}))) as port,
        Peer(port) as peer,
    ):
        assert b"MSA|AA" in peer.exchange(oru(AFP).encode())
    store.close()
