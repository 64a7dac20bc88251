"""Backfill: the plan is on disk, a second call goes on where the first ended."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_node.backfill import Backfill, Progress
from dicom_node.errors import NodeError, PeerError
from dicom_node.peers import PeerClient
from dicom_node.settings import Peer

PEER = Peer(name="pacs", ae_title="PACS", host="h", port=104)


class FakePeer(PeerClient):
    """A PACS with four studies, one of which cannot be moved at first."""

    def __init__(self) -> None:
        self.moved: list[str] = []
        self.finds = 0
        self.broken = {"1.2.3"}

    def find(self, peer: Peer, query: Dataset) -> list[Dataset]:
        self.finds += 1
        assert query.ModalitiesInStudy == "CT"
        answers = []
        for number in (4, 3, 2, 1):
            answer = Dataset()
            answer.StudyInstanceUID = f"1.2.{number}"
            answers.append(answer)
        return answers

    def move_study(self, peer: Peer, study_uid: str, destination_title: str) -> int:
        if study_uid in self.broken:
            raise PeerError("pacs ended C-MOVE with status 0xA702")
        self.moved.append(study_uid)
        return 1


def run(cohort: Backfill, *, limit: int = 99) -> Progress:
    left = [limit]

    def may_go_on() -> bool:
        left[0] -= 1
        return left[0] >= 0

    return cohort.run(may_go_on=may_go_on, pause_seconds=0, report=lambda _: None)


def test_a_cohort_is_asked_for_once_and_resumed(tmp_path: Path) -> None:
    client = FakePeer()
    cohort = Backfill(tmp_path / "c.json", client, PEER, "NODE")
    assert cohort.prepare({"ModalitiesInStudy": "CT"}) == 4
    assert run(cohort, limit=2) == Progress(asked=2, failed=0, total=4)
    again = Backfill(tmp_path / "c.json", client, PEER, "NODE")
    assert again.prepare({"ModalitiesInStudy": "CT"}) == 4
    assert run(again) == Progress(asked=3, failed=1, total=4)
    client.broken.clear()
    assert run(again) == Progress(asked=4, failed=0, total=4)
    assert sorted(client.moved) == ["1.2.1", "1.2.2", "1.2.3", "1.2.4"]
    assert client.finds == 1


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    cohort = Backfill(tmp_path / "c.json", FakePeer(), PEER, "NODE")
    with pytest.raises(NodeError, match="Modality"):
        cohort.prepare({"Modality": "CT"})
