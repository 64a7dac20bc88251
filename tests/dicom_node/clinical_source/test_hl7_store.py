"""Messages are on disk before anybody says so."""

import time
from pathlib import Path

import pytest

from dicom_node.clinical_source.hl7_store import Hl7Store, check_message
from engine.clinical.hl7_reading import MalformedMessageError
from tests.phantoms.hl7_messages import adt, oru


def _put(store: Hl7Store, text: str) -> bool:
    content = text.encode("utf-8")
    return store.put(content, check_message(content))


AFP = "NM|1834-1^AFP^LN||10|ng/mL|||||F"


def test_a_message_survives_closing_and_is_stored_once(tmp_path: Path) -> None:
    store = Hl7Store(tmp_path / "hl7.sqlite")
    assert _put(store, oru(AFP)) is True
    assert _put(store, oru(AFP)) is False
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}
    store.close()
    again = Hl7Store(tmp_path / "hl7.sqlite")
    assert again.count() == 1
    (stored,) = again.messages_of("4711", "HOSP_A")
    assert stored.message.control_id == "c1"
    again.close()


def test_one_number_from_two_issuers_is_two_patients(tmp_path: Path) -> None:
    store = Hl7Store(tmp_path / "hl7.sqlite")
    _put(store, oru(AFP, control="a"))
    _put(store, oru(AFP, control="b", patient="4711^^^HOSP_B^MR"))
    assert [m.message.control_id for m in store.messages_of("4711", "HOSP_A")] == ["a"]
    assert [m.message.control_id for m in store.messages_of("4711", "HOSP_B")] == ["b"]
    assert len(list(store.messages_of("4711", ""))) == 2
    store.close()


def test_merges_are_followed_over_several_steps_and_never_in_a_circle(tmp_path: Path) -> None:
    store = Hl7Store(tmp_path / "hl7.sqlite")
    _put(store, oru(AFP, control="old", patient="1^^^HOSP_A"))
    _put(store, adt("A40", "m1", "2^^^HOSP_A", old="1^^^HOSP_A"))
    _put(store, adt("A40", "m2", "3^^^HOSP_A", old="2^^^HOSP_A"))
    _put(store, adt("A40", "m3", "1^^^HOSP_A", old="3^^^HOSP_A"))
    kinds = [m.message.control_id for m in store.messages_of("3", "HOSP_A")]
    assert "old" in kinds
    store.close()


def test_a_control_id_used_again_for_something_else_is_another_message(tmp_path: Path) -> None:
    """Some senders count from 1 again every day."""
    store = Hl7Store(tmp_path / "hl7.sqlite")
    assert _put(store, oru(AFP)) is True
    assert _put(store, oru(AFP.replace("10", "20"))) is True
    assert store.count() == 2
    store.close()


def test_old_messages_are_forgotten(tmp_path: Path) -> None:
    store = Hl7Store(tmp_path / "hl7.sqlite")
    _put(store, oru(AFP))
    assert store.forget(time.time() - 60.0) == 0
    assert store.forget(time.time() + 60.0) == 1
    assert list(store.messages_of("4711", "HOSP_A")) == []
    store.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (oru(AFP).replace("|P|2.5.1", "|T|2.5.1"), "training"),
        (oru(AFP, control=""), "no control id"),
        (oru(AFP, patient="^^^HOSP_A"), "no patient"),
        ("MSH|^~\\&|LAB", "complete MSH"),
    ],
)
def test_a_message_without_an_identity_is_not_stored(text: str, message: str) -> None:
    with pytest.raises(MalformedMessageError, match=message):
        check_message(text.encode("utf-8"))
