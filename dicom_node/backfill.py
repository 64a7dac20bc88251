"""`hepatocast-node backfill`: retrospective cohorts from a peer, with pause and resume.

The list of studies is found once by C-FIND and kept in a file in the state folder; each
study is asked for by C-MOVE to this node and marked. A second call goes on where the
first one ended. The node's listener takes the images in like any others.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from dicom_node.errors import NodeError, PeerError
from dicom_node.header import is_uid
from dicom_node.peers import PeerClient
from dicom_node.settings import Peer

QUERY_KEYS = (
    "StudyDate",
    "ModalitiesInStudy",
    "PatientID",
    "AccessionNumber",
    "StudyDescription",
    "StudyInstanceUID",
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill is."""

    asked: int
    failed: int
    total: int


class Backfill:
    """One cohort: its plan on disk and the peer it comes from."""

    def __init__(self, plan: Path, client: PeerClient, peer: Peer, ae_title: str) -> None:
        self._plan, self._client, self._peer, self._ae_title = plan, client, peer, ae_title

    def prepare(self, query: Mapping[str, str]) -> int:
        """Find the studies, unless a plan is there already; their number.

        Raises:
            NodeError: An unknown key in the query.
            PeerError: The peer did not answer.
        """
        unknown = sorted(set(query) - set(QUERY_KEYS))
        if unknown:
            raise NodeError(f"Query has {unknown}; known are {', '.join(QUERY_KEYS)}")
        if not self._plan.exists():
            request = Dataset()
            request.QueryRetrieveLevel = "STUDY"
            request.StudyInstanceUID = ""
            for key, value in query.items():
                setattr(request, key, value)
            found = {str(a.StudyInstanceUID) for a in self._client.find(self._peer, request)}
            self._write(dict.fromkeys(sorted(filter(is_uid, found)), "planned"))
        return len(self._read())

    def run(
        self,
        *,
        may_go_on: Callable[[], bool],
        pause_seconds: float,
        report: Callable[[Progress], None],
    ) -> Progress:
        """Ask for every study that has not been asked for; stop when told to."""
        plan = self._read()
        for uid, state in plan.items():
            if state == "asked":
                continue
            if not may_go_on():
                break
            try:
                self._client.move_study(self._peer, uid, self._ae_title)
                plan[uid] = "asked"
            except PeerError as error:
                plan[uid] = f"failed: {error}"
            self._write(plan)
            report(self._progress(plan))
            time.sleep(pause_seconds)
        return self._progress(plan)

    def _progress(self, plan: dict[str, str]) -> Progress:
        states = list(plan.values())
        failed = sum(state.startswith("failed") for state in states)
        return Progress(states.count("asked"), failed, len(states))

    def _read(self) -> dict[str, str]:
        return dict(json.loads(self._plan.read_text()))

    def _write(self, plan: dict[str, str]) -> None:
        partial = self._plan.with_suffix(".partial")
        with partial.open("w") as file:
            json.dump(plan, file, indent=0)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self._plan)
