"""What the node's sources said, handed to the engine as a file."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from engine.clinical.answer_file import read_answers, write_answers
from engine.clinical.clinical_file import read_file
from engine.clinical.join import availability_warnings
from engine.clinical.source import SourceAnswer
from engine.values.clinical import Rejection, RejectionKind
from engine.values.identity import PatientIdentity
from tests.phantoms.clinical_records import make_observation

PATIENT = PatientIdentity(
    patient_id="4711",
    issuer_of_patient_id="HOSP_A",
    patient_birth_date="19610504",
    patient_sex="M",
)
DAY = date(2024, 3, 1)
AFP = make_observation("afp", 12.0, observed_on=date(2024, 2, 20))
REFUSED = Rejection(
    analyte="inr", source="OBX 4", reason="not a number", kind=RejectionKind.UNREADABLE
)
ANSWER = SourceAnswer(offered=(AFP, REFUSED), notes=("FHIR: 2 values of this patient",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "job.answers"
    write_answers(file, ANSWER, PATIENT)
    return file


def test_nothing_is_lost_on_the_way(path: Path) -> None:
    record = read_file(path, PATIENT, DAY)
    assert record.observations == (AFP,)
    assert record.rejections == (REFUSED,)
    assert record.sources == ANSWER.notes


def test_only_the_owner_may_read_it(path: Path) -> None:
    assert path.stat().st_mode & 0o077 == 0


def test_the_engine_selects_in_time_by_itself(path: Path) -> None:
    record = read_answers(path, PATIENT, date(2024, 8, 1))
    assert record.observations == ()
    assert [r.kind for r in record.rejections] == [RejectionKind.UNREADABLE, RejectionKind.STALE]


def test_another_patient_gets_no_value_and_the_reader_says_so(path: Path) -> None:
    other = replace(PATIENT, patient_birth_date="19610405")
    record = read_answers(path, other, DAY)
    assert record.observations == ()
    assert record.history == ()
    assert "Wrong patient: birth date" in availability_warnings(record)[0]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "hepatocast clinical answers 1"}'])
def test_a_damaged_file_stops_nothing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "job.answers"
    file.write_text(content)
    record = read_answers(file, PATIENT, DAY)
    assert record.observations == ()
    assert "clinical data not available" in availability_warnings(record)[0]


@pytest.mark.parametrize(
    ("analyte", "change"),
    [("afp", {"unit": "g/L"}), ("afp", {"value": -4.0}), ("afp", {"value": "high"})],
)
def test_a_value_the_engine_would_not_accept_is_refused(
    path: Path, analyte: str, change: dict[str, object]
) -> None:
    document = json.loads(path.read_text())
    document["observations"][0] |= change
    path.write_text(json.dumps(document))
    record = read_answers(path, PATIENT, DAY)
    assert record.find(analyte) is None
    assert record.rejections[0].analyte == analyte
