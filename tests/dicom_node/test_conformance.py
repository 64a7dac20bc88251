"""The conformance statement says what the code does."""

import re
from pathlib import Path

import pytest

import dicom_node
from dicom_node import audit
from dicom_node.backfill import QUERY_KEYS
from dicom_node.listener import CIPHERS
from dicom_node.negotiation import TRANSFER_SYNTAXES, is_storage_class
from dicom_node.retrieval import CLASSES
from dicom_node.settings import Configuration, Listener, Storage
from dicom_node.status import Rejection, StorageStatus
from dicom_node.upper_layer import (
    APPLICATION_CONTEXT,
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
)

TEXT = (Path(dicom_node.__file__).parent / "CONFORMANCE.md").read_text(encoding="utf-8")


def table(title: str) -> list[list[str]]:
    """Rows of the table whose header begins with a title."""
    lines = TEXT.split(f"| {title}", 1)[1].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def uids(cell: str) -> set[str]:
    """UIDs of a cell; ".51" continues the first one's root."""
    first, *others = [word.strip() for word in cell.split(",")]
    root = "1.2.840.10008.1.2.4" if others and ".1.2.4." in first else "1.2.840.10008.5.1.4.1.1"
    return {first, *(root + word for word in others)}


def test_transfer_syntaxes_are_those_that_are_accepted() -> None:
    told = set().union(*(uids(row[1]) for row in table("Transfer syntaxes of storage")))
    assert told == TRANSFER_SYNTAXES


def test_classes_of_c_get_are_those_that_are_proposed() -> None:
    told = set().union(*(uids(row[1]) for row in table("Storage classes of C-GET")))
    assert told == set(CLASSES)
    assert all(map(is_storage_class, told))


def test_statuses_are_those_that_are_answered() -> None:
    assert {int(row[1], 16) for row in table("Status |")} == {int(s) for s in StorageStatus}


def test_rejections_are_those_that_are_sent() -> None:
    told = {tuple(int(n) for n in row[1].split(",")) for row in table("Rejected |")}
    assert told == {rejection.value for rejection in Rejection}


@pytest.mark.parametrize(
    "value",
    [
        APPLICATION_CONTEXT,
        IMPLEMENTATION_CLASS_UID,
        IMPLEMENTATION_VERSION_NAME,
        f"default {Configuration(storage=Storage(folder=Path())).ae_title}",
        f"default {Listener().maximum_associations}",
        f"default {Listener().maximum_pdu_bytes}",
    ],
)
def test_identity_and_limits_are_the_codes(value: str) -> None:
    assert value in TEXT


def test_every_audit_event_is_listed() -> None:
    events = [e for e in vars(audit).values() if isinstance(e, audit.AuditEvent)]
    assert all(event.meaning in TEXT for event in events)


def test_every_key_of_a_cohort_is_listed() -> None:
    for keyword in QUERY_KEYS:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", keyword)
        assert words.replace(" In ", " in ") in TEXT, keyword


def test_the_cipher_list_is_the_one_that_is_told() -> None:
    assert CIPHERS == "ECDHE+AESGCM:ECDHE+CHACHA20"
    assert "ECDHE and AES-GCM or ChaCha20" in TEXT
