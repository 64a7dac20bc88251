"""Received HL7 v2 messages on disk (SQLite), written before they are acknowledged.

Messages are kept as they came; what they mean is worked out when somebody asks, so a better
reading later applies to old messages too. A repeated message (same sender and control id) is
stored once; a control id that a sender uses again for something else is another message. The
file holds patient data: it belongs on the node's own protected disk.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dicom_node.settings import Configuration
from engine.clinical.hl7_reading import Hl7Message, MalformedMessageError, read_message
from engine.clinical.right_patient import SourceIdentity

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sender TEXT NOT NULL,
  control_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  content BLOB NOT NULL,
  digest TEXT NOT NULL,
  received_at REAL NOT NULL,
  UNIQUE (sender, control_id, digest)
);
CREATE TABLE IF NOT EXISTS subject (
  patient_id TEXT NOT NULL,
  issuer TEXT NOT NULL,
  message INTEGER NOT NULL REFERENCES message (id),
  PRIMARY KEY (patient_id, issuer, message)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS subject_message ON subject (message);
CREATE TABLE IF NOT EXISTS merge (
  old_patient_id TEXT NOT NULL,
  old_issuer TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  issuer TEXT NOT NULL,
  PRIMARY KEY (old_patient_id, old_issuer, patient_id, issuer)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message in the order of arrival."""

    number: int
    message: Hl7Message


class Hl7Store:
    """Durable store of one MLLP listener.

    Args:
        path: SQLite file; made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        path.touch(mode=0o600)  # SQLite's side files get the same rights
        self._database = sqlite3.connect(path, check_same_thread=False, timeout=30.0)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def put(self, content: bytes, message: Hl7Message) -> bool:
        """Write one message; when this returns, the message is on disk.

        Args:
            content: Bytes as received.
            message: The same, parsed.

        Returns:
            False when this sender's message is already stored.

        Raises:
            sqlite3.Error: The disk does not take it.
        """
        with self._lock, self._database as database:
            written = database.execute(
                "INSERT OR IGNORE INTO message "
                "(sender, control_id, kind, content, digest, received_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    message.sender,
                    message.control_id,
                    message.kind,
                    content,
                    hashlib.sha256(content).hexdigest(),
                    time.time(),
                ),
            )
            if written.rowcount == 0:
                return False
            database.executemany(
                "INSERT OR IGNORE INTO subject VALUES (?, ?, ?)",
                [(i.patient_id, i.issuer, written.lastrowid) for i in message.identities],
            )
            database.executemany(
                "INSERT OR IGNORE INTO merge VALUES (?, ?, ?, ?)", _merges(message)
            )
        return True

    def count(self) -> int:
        """Number of stored messages."""
        with self._lock:
            return int(self._database.execute("SELECT COUNT(*) FROM message").fetchone()[0])

    def forget(self, before: float) -> int:
        """Delete messages that came before a moment (seconds since 1970); returns how many.

        Merges are kept: they hold for values that come later.
        """
        with self._lock, self._database as database:
            database.execute(
                "DELETE FROM subject WHERE message IN "
                "(SELECT id FROM message WHERE received_at < ?)",
                (before,),
            )
            return database.execute("DELETE FROM message WHERE received_at < ?", (before,)).rowcount

    def identifiers_of(self, patient_id: str, issuer: str) -> set[tuple[str, str]]:
        """The identifier with its authority, and every one merged into it, directly or not.

        Args:
            patient_id: Identifier.
            issuer: Assigning authority; empty for any.
        """
        with self._lock:
            return self._with_merged(patient_id, issuer)

    def messages_of(
        self, patient_id: str, issuer: str, codes: Mapping[str, str] | None = None
    ) -> Iterator[StoredMessage]:
        """Messages about an identifier and about those merged into it, oldest first.

        One message is in memory at a time: a report may carry a document of many megabytes.
        Of a message about several people only this person's part is given.

        Args:
            patient_id: Identifier.
            issuer: Assigning authority; empty for any.
            codes: Site codes, ``"system|code"`` to analyte key.
        """
        numbers: set[int] = set()
        with self._lock:
            known = self._with_merged(patient_id, issuer)
            for number, authority in known:
                found = self._database.execute(
                    "SELECT message FROM subject WHERE patient_id = ? AND (issuer = ? OR ? = '')",
                    (number, authority, authority),
                )
                numbers |= {row[0] for row in found}
        for key in sorted(numbers):
            with self._lock:
                row = self._database.execute(
                    "SELECT content FROM message WHERE id = ?", (key,)
                ).fetchone()
            if row is not None:
                yield StoredMessage(key, read_message(row[0], codes or {}).about(known))

    def _with_merged(self, patient_id: str, issuer: str) -> set[tuple[str, str]]:
        """The identifier and every identifier that was merged into it, directly or not."""
        known: set[tuple[str, str]] = set()
        waiting = {(patient_id, issuer)}
        while waiting:
            number, authority = waiting.pop()
            known.add((number, authority))
            waiting |= set(
                self._database.execute(
                    "SELECT old_patient_id, old_issuer FROM merge "
                    "WHERE patient_id = ? AND (issuer = ? OR ? = '')",
                    (number, authority, authority),
                )
            )
            waiting -= known
        return known


def store_path(configuration: Configuration) -> Path:
    """Where a node keeps the messages of its listener."""
    return configuration.clinical.hl7.store or configuration.storage.folder / "hl7.sqlite"


def _merges(message: Hl7Message) -> Iterable[tuple[str, str, str, str]]:
    """Old identifier → surviving identifier, within one assigning authority."""
    for old in message.replaced:
        for new in message.identities:
            if new.issuer == old.issuer and _key(new) != _key(old):
                yield (*_key(old), *_key(new))


def _key(identity: SourceIdentity) -> tuple[str, str]:
    return identity.patient_id, identity.issuer


def check_message(content: bytes) -> Hl7Message:
    """Parse a message that is about to be stored.

    Raises:
        MalformedMessageError: It cannot be read, has no control id, names no patient, or is
            not for production.
    """
    message = read_message(content)
    if not message.control_id:
        raise MalformedMessageError("HL7 message has no control id (MSH-10)")
    if message.processing.upper() in ("T", "D"):
        raise MalformedMessageError("HL7 message is for training or debugging (MSH-11)")
    if not any(identity.patient_id for identity in message.identities):
        raise MalformedMessageError("HL7 message names no patient (PID-3)")
    return message
