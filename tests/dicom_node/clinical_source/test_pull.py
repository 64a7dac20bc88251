"""At job time every source is asked, and nothing that goes wrong costs the images."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_node.clinical_source import pull
from dicom_node.clinical_source.hl7_store import Hl7Store, check_message, store_path
from dicom_node.clinical_source.pull import ClinicalPull
from dicom_node.settings import Configuration
from engine.clinical.clinical_file import read_file
from engine.clinical.join import availability_warnings
from engine.clinical.source import SourceAnswer
from engine.values.clinical import ClinicalRecord
from engine.values.identity import PatientIdentity
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.testbed import free_port, make_ct, write_files
from tests.phantoms.hl7_messages import oru

PATIENT = PatientIdentity(patient_id="P1", patient_birth_date="19600101", patient_sex="M")
STUDY_DAY = date(2026, 3, 14)
AFP = "NM|1834-1^AFP^LN||12|ng/mL|||||F|||20260301"


def _configure(folder: Path, **clinical: object) -> Configuration:
    configuration = build_configuration(folder / "state", clinical=clinical)
    configuration.storage.folder.mkdir(parents=True, exist_ok=True)
    return configuration


@pytest.fixture
def closed_port() -> str:
    return f"http://127.0.0.1:{free_port()}/fhir"


def _fed(configuration: Configuration, *messages: str) -> ClinicalPull:
    store = Hl7Store(store_path(configuration))
    for text in messages:
        content = text.encode()
        store.put(content, check_message(content))
    store.close()
    return ClinicalPull(configuration)


def _record(puller: ClinicalPull, tmp_path: Path, **header: str) -> ClinicalRecord:
    """What the engine makes of the answers about a CT."""
    (image, *_) = make_ct(slices=1)
    for name, value in header.items():
        setattr(image, name, value)
    (path,) = write_files([image], tmp_path / "study")
    answers, _ = puller.write(path, tmp_path)
    return read_file(answers, _identity(image), STUDY_DAY)


def _identity(image: Dataset) -> PatientIdentity:
    return PatientIdentity(
        patient_id=str(image.PatientID),
        patient_birth_date=str(image.PatientBirthDate),
        patient_sex=str(image.PatientSex),
    )


def test_without_a_source_nothing_is_pulled(tmp_path: Path) -> None:
    assert ClinicalPull(_configure(tmp_path)).is_used is False


def test_one_source_answers_while_another_is_down(tmp_path: Path, closed_port: str) -> None:
    ehr = {"name": "EHR", "base_url": closed_port, "attempts": 1}
    puller = _fed(
        _configure(tmp_path, fhir=[ehr], hl7={"port": 2575}),
        oru(AFP, patient="P1", born="19600101"),
    )
    record = _record(puller, tmp_path)
    afp = record.find("afp")
    assert afp is not None
    assert (afp.value, afp.source, afp.received) == (12.0, "HL7 message c1 OBX 1", "12 ng/mL")
    assert availability_warnings(record) == (
        "EHR: clinical data not available: no connection (ConnectError)",
    )


def test_the_issuer_of_the_hospital_stands_in_where_the_images_state_none(tmp_path: Path) -> None:
    messages = [
        oru(AFP, control="a", patient="P1^^^HOSP_A", born="19600101"),
        oru(AFP.replace("12", "99"), control="b", patient="P1^^^HOSP_B", born="19600101"),
    ]
    without = _fed(_configure(tmp_path / "1", hl7={"port": 2575}), *messages)
    assert "several issuers" in availability_warnings(_record(without, tmp_path / "1"))[0]
    assumed = _fed(_configure(tmp_path / "2", hl7={"port": 2575}, issuer="HOSP_A"), *messages)
    assert [o.value for o in _record(assumed, tmp_path / "2").observations] == [12.0]


def test_images_without_a_birth_date_get_no_value_unless_configured(tmp_path: Path) -> None:
    message = oru(AFP, patient="P1", born="19600101")
    strict = _fed(_configure(tmp_path / "1", hl7={"port": 2575}), message)
    record = _record(strict, tmp_path / "1", PatientBirthDate="")
    assert record.observations == ()
    assert "no birth date" in availability_warnings(record)[0]
    relaxed = _configure(tmp_path / "2", hl7={"port": 2575}, without_birth_date=True)
    record = _record(_fed(relaxed, message), tmp_path / "2", PatientBirthDate="")
    assert len(record.observations) == 1


class Hanging:
    """A source whose answer never comes, as when a name server is silent."""

    name = "EHR"

    def __init__(self) -> None:
        self.release = threading.Event()
        self.asked = 0

    def fetch(self, _patient: PatientIdentity) -> SourceAnswer:
        self.asked += 1
        self.release.wait(30)
        return SourceAnswer(offered=())


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    source = Hanging()
    monkeypatch.setattr(pull, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(pull, "open_fhir_source", lambda *_: source)
    yield source
    source.release.set()


def test_a_source_that_hangs_is_left_behind(
    tmp_path: Path, hanging: Hanging, closed_port: str
) -> None:
    servers = [{"name": name, "base_url": closed_port} for name in ("one", "two")]
    puller = ClinicalPull(_configure(tmp_path, fhir=servers, wait_seconds=0.3))
    started = time.monotonic()
    answer = puller.ask(PATIENT)
    assert time.monotonic() - started < 0.55
    assert answer.notes == (
        "one: clinical data not available: no answer within 0.3 s",
        "two: clinical data not available: no answer within 0.3 s",
    )
    assert hanging.asked == 2


def test_a_source_that_goes_on_hanging_is_not_asked_for_ever(
    tmp_path: Path, hanging: Hanging, closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "MOST_HANGING", 3)
    ehr = {"name": "EHR", "base_url": closed_port}
    puller = ClinicalPull(_configure(tmp_path, fhir=[ehr], wait_seconds=0.05))
    notes = [puller.ask(PATIENT).notes[0] for _ in range(5)]
    assert hanging.asked == 3
    assert "no answer within" in notes[2]
    assert "3 earlier questions are still without an answer" in notes[4]


def test_a_fault_in_a_source_is_named_and_quotes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    closed_port: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("Doe^Jane 19600101")

    monkeypatch.setattr(pull, "open_fhir_source", broken)
    ehr = {"name": "EHR", "base_url": closed_port}
    with caplog.at_level(logging.DEBUG):
        answer = ClinicalPull(_configure(tmp_path, fhir=[ehr])).ask(PATIENT)
    assert answer.notes == (
        "EHR: clinical data not available: fault of the node: ZeroDivisionError",
    )
    assert "Doe" not in caplog.text


def test_a_token_file_that_vanished_costs_only_its_source(tmp_path: Path, closed_port: str) -> None:
    token = tmp_path / "token"
    token.write_text("x")
    ehr = {"name": "EHR", "base_url": closed_port, "token_file": str(token)}
    puller = ClinicalPull(_configure(tmp_path, fhir=[ehr]))
    token.unlink()
    assert "token file cannot be read" in puller.ask(PATIENT).notes[0]


def test_whom_a_patients_values_were_asked_of_is_audited(tmp_path: Path, closed_port: str) -> None:
    audit = tmp_path / "audit.xml"
    configuration = build_configuration(
        tmp_path / "state",
        audit={"file": str(audit)},
        clinical={"fhir": [{"name": "EHR", "base_url": closed_port, "attempts": 1}]},
    )
    record = _record(ClinicalPull(configuration), tmp_path)
    assert record.observations == ()
    (message,) = audit.read_text().splitlines()
    assert "110112" in message
    assert closed_port in message
    assert 'EventOutcomeIndicator="8"' in message
    assert "P1" not in message
