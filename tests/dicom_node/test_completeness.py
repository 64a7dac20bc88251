"""Complete by evidence; a jump of the wall clock changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicom_node.completeness import Completeness
from dicom_node.errors import PeerError
from dicom_node.index import Arrival, Index
from dicom_node.ledger import Ledger
from tests.dicom_node.conftest import build_configuration

STUDY = "1.2.3"


class Clock:
    """Monotonic seconds, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def arrive(index: Index, *numbers: int, modality: str = "CT", study: str = STUDY) -> None:
    index.enter(
        [
            Arrival(
                sop_instance_uid=f"{study}.{n}", digest=f"d{n}", study_uid=study,
                series_uid=f"{study}.0", sop_class_uid="1.2", modality=modality, body_part="",
                path=f"p{n}", byte_count=1, source="PACS",
            )
            for n in numbers
        ]
    )  # fmt: skip


Build = Callable[..., Completeness]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def build(tmp_path: Path, index: Index, ledger: Ledger, clock: Clock) -> Build:
    def make(
        count: Callable[[str], dict[str, int]] = lambda _: {},
        **settings: Any,  # noqa: ANN401
    ) -> Completeness:
        table = {"quiet_seconds": 10.0, **settings}
        peer = {"name": "pacs", "ae_title": "PACS", "host": "h", "port": 104}
        configuration = build_configuration(tmp_path / "s", completeness=table, peer=[peer])
        return Completeness(configuration, index, ledger, count, clock=clock)

    return make


def evidence_of(ledger: Ledger, job_id: str) -> dict[str, Any]:
    job = ledger.find_job(job_id)
    assert job is not None
    return dict(json.loads(job["evidence"]))


def test_a_quiet_study_becomes_a_job(
    build: Build, index: Index, ledger: Ledger, clock: Clock
) -> None:
    completeness = build()
    arrive(index, 1, 2)
    assert completeness.look() == []
    clock.seconds = 9.9
    assert completeness.look() == []
    clock.seconds = 10
    (job_id,) = completeness.look()
    assert evidence_of(ledger, job_id)["kind"] == "quiet"


def test_every_arrival_begins_the_quiet_time_anew(build: Build, index: Index, clock: Clock) -> None:
    completeness = build()
    arrive(index, 1)
    completeness.look()
    clock.seconds = 8
    arrive(index, 2)
    completeness.look()
    clock.seconds = 17
    assert completeness.look() == []
    clock.seconds = 18
    assert len(completeness.look()) == 1


def test_a_jump_of_the_wall_clock_ends_no_study(
    build: Build, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    completeness = build()
    arrive(index, 1)
    completeness.look()
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert completeness.look() == []


def test_a_study_waits_while_the_pacs_has_more(
    build: Build, index: Index, ledger: Ledger, clock: Clock
) -> None:
    """And is complete at once when the counts agree."""
    counts = {f"{STUDY}.0": 3}
    completeness = build(lambda _: counts, count_peer="pacs")
    arrive(index, 1, 2)
    completeness.look()
    clock.seconds = 10
    assert completeness.look() == []
    counts[f"{STUDY}.0"] = 2
    clock.seconds = 25
    (job_id,) = completeness.look()
    assert evidence_of(ledger, job_id)["kind"] == "counted"


@pytest.mark.parametrize("answer", ["more", "none"])
def test_patience_ends_and_is_recorded(
    build: Build, index: Index, ledger: Ledger, clock: Clock, answer: str
) -> None:
    """With the counts still apart, or a PACS that does not answer."""

    def count(_: str) -> dict[str, int]:
        if answer == "none":
            raise PeerError("pacs: no connection")
        return {f"{STUDY}.0": 99}

    completeness = build(count, count_peer="pacs", count_patience_seconds=60.0)
    arrive(index, 1)
    completeness.look()
    clock.seconds = 30
    assert completeness.look() == []
    clock.seconds = 61
    (job_id,) = completeness.look()
    expected = "no connection" if answer == "none" else "1 of 1 series are incomplete"
    assert expected in evidence_of(ledger, job_id)["text"]


def test_an_operator_may_declare_a_study_complete(
    build: Build, index: Index, ledger: Ledger
) -> None:
    completeness = build()
    arrive(index, 1)
    assert index.force_complete(STUDY)
    (job_id,) = completeness.look()
    assert evidence_of(ledger, job_id)["kind"] == "forced"


def test_a_study_no_rule_wants_is_kept_with_the_reason(
    build: Build, index: Index, clock: Clock
) -> None:
    completeness = build()
    arrive(index, 1, modality="US")
    completeness.look()
    clock.seconds = 10
    assert completeness.look() == []
    study = index.find_study(STUDY)
    assert study is not None
    assert study["state"] == "ignored"
    assert "0 instances of CT" in study["reason"]
