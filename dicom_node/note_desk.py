"""Commitment messages that lie in the spool: reports are entered, requests are answered.

Reports come first, and requests have a thread of their own: a peer that asks for commitment
and then cannot be reached must hold up neither the intake of images nor other peers.
"""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dicom_node.dispatch import Dispatch
from dicom_node.errors import PeerError
from dicom_node.index import Index
from dicom_node.notes import REPORT, REQUEST
from dicom_node.peers import PeerClient
from dicom_node.settings import Configuration
from dicom_node.spool import Spool

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 900.0
TRIES = 120
"""With the longest pause between them, more than a day."""

Clock = Callable[[], float]


class NoteDesk:
    """Takes the notes of one spool."""

    def __init__(
        self, configuration: Configuration, spool: Spool, index: Index, dispatch: Dispatch,
        client: PeerClient, *, clock: Clock = time.monotonic,
    ) -> None:  # fmt: skip
        self._configuration, self._spool = configuration, spool
        self._index, self._dispatch, self._client = index, dispatch, client
        self._clock = clock
        self._tries: dict[str, tuple[int, float]] = {}
        self._answerable: frozenset[str] = frozenset()

    def list_requests(self) -> frozenset[str]:
        """Names of the requests that lie here now."""
        return frozenset(path.name for path in self._list(REQUEST))

    def release_requests(self, names: frozenset[str]) -> None:
        """Allow these to be answered: everything received before them is in the index now."""
        self._answerable = names

    def enter_reports(self) -> None:
        """Enter every commitment report that has come."""
        for path in self._list(REPORT):
            note = self._read(path)
            if note is None:
                continue
            failed = {uid: code for _, uid, code in note["failed"]}
            committed = [uid for _, uid in note["committed"]]
            if not self._dispatch.answer_transaction(note["transaction_uid"], committed, failed):
                log.warning("A commitment report came for an unknown transaction")
            path.unlink(missing_ok=True)

    def answer_requests(self) -> None:
        """Answer the requests that are due; one that cannot be delivered waits longer each time."""
        paths = [path for path in self._list(REQUEST) if path.name in self._answerable]
        self._tries = {p.name: self._tries.get(p.name, (0, 0.0)) for p in paths}
        for path in paths:
            tries, due_at = self._tries[path.name]
            if self._clock() < due_at:
                continue
            note = self._read(path)
            if note is None:
                continue
            if self._answer(note) or tries + 1 >= TRIES:
                path.unlink(missing_ok=True)
                continue
            pause = min(FIRST_PAUSE * 2.0 ** min(tries, 30), LONGEST_PAUSE)
            self._tries[path.name] = (tries + 1, self._clock() + pause)

    def _list(self, kind: str) -> list[Path]:
        return sorted(self._spool.notes.glob(f"*.{kind}.json"))

    def _read(self, path: Path) -> dict[str, Any] | None:
        """A note's content; one that cannot be read is laid aside, it must not stop the others."""
        try:
            note = json.loads(path.read_bytes())
            fields = ("transaction_uid", "committed", "failed", "peer_title")
            return {name: note[name] for name in fields}
        except (ValueError, KeyError, TypeError):
            log.exception("%s is not a commitment message; kept aside", path.name)
            self._spool.put_aside(path)
            return None

    def _answer(self, note: dict[str, Any]) -> bool:
        """Report to a peer what of its instances is held here; False to try again later."""
        peers = [p for p in self._configuration.peer if p.ae_title == note["peer_title"]]
        if not peers:
            log.warning("A commitment request came from a title that is no peer")
            return True
        asked = [(str(c), str(u)) for c, u in note["committed"]]
        held = [pair for pair in asked if self._index.holds(pair[1])]
        missing = [pair for pair in asked if pair not in held]
        try:
            self._client.report_commitment(peers[0], str(note["transaction_uid"]), held, missing)
        except PeerError as error:
            log.warning("A commitment report could not be sent: %s", error)
            return False
        return True
