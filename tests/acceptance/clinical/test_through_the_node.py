"""Issue 5, must show 1: from a FHIR server and an MLLP sender into PDF and SR, and back.

A real node with its HL7 part, the real engine in a warm process, the demo study.
"""

import contextlib
import datetime
import json
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pydicom import dcmread
from pydicom.dataset import Dataset

from engine.demo.study import write_demo_study
from tests.dicom_node.testbed import Node, free_port, wait_until
from tests.phantoms.conformance import pdf_text, read_dataset
from tests.phantoms.ehr_peers import send_hl7
from tests.phantoms.fhir_people import make_condition, make_observation, make_patient, post
from tests.phantoms.hl7_messages import oru

pytestmark = pytest.mark.peer

SECONDS = 300


@dataclass(frozen=True)
class Journey:
    """What became of one study."""

    result: Path
    events: list[str]
    fhir: str
    header: Dataset


def _configure(node: Node, fhir: str, hl7_port: int, watch: Path) -> None:
    command = json.dumps([sys.executable, "-m", "engine.cli", "work"])
    node.path.write_text(
        f"""
[storage]
folder = "{node.folder / "state"}"
watch_folder = "{watch}"
[listener]
port = {node.port}
minimum_free_bytes = 100000000
[completeness]
quiet_seconds = 3.0
poll_seconds = 0.2
[analysis]
warm_command = {command}
[dashboard]
enabled = false
[clinical]
wait_seconds = 20
[[clinical.fhir]]
name = "EHR"
base_url = "{fhir}"
[[clinical.fhir]]
name = "Archive"
base_url = "http://127.0.0.1:{free_port()}/fhir"
attempts = 1
[clinical.hl7]
port = {hl7_port}
[[destination]]
name = "EHR results"
fhir = "EHR"
first_retry_seconds = 1
"""
    )


def _tell_fhir(base: str, header: Dataset, day: datetime.date) -> None:
    born = str(header.PatientBirthDate)
    person = make_patient(str(header.PatientID), born=f"{born[:4]}-{born[4:6]}-{born[6:]}")
    subject = post(base, person)
    yesterday = (day - datetime.timedelta(days=1)).isoformat()
    for told in (("1975-2", 1.0, "mg/dL"), ("6301-6", 1.1, "{INR}"), ("2160-0", 4.0, "g/L")):
        post(base, make_observation(subject, (*told, yesterday)))
    post(base, make_condition(subject, "389026000", "refuted", yesterday))
    post(base, make_condition(subject, "13920009", "refuted", yesterday))


def _messages(header: Dataset, day: datetime.date) -> list[str]:
    who = {"patient": str(header.PatientID), "born": str(header.PatientBirthDate), "sex": "M"}
    when = (day - datetime.timedelta(days=2)).strftime("%Y%m%d")
    albumin = "NM|1751-7^Alb^LN||{}|g/dL|||||{}|||" + when
    return [
        oru(albumin.format(2.0, "F"), f"NM|1834-1^AFP^LN||100|[IU]/mL|||||F|||{when}", **who),
        oru(albumin.format(4.0, "C"), control="c2", **who),
        oru(albumin.format(3.0, "F"), control="c3", **(who | {"patient": "SOMEBODY-ELSE"})),
    ]


@pytest.fixture(scope="module")
def journey(fhir_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """The demo study laid before a real node with real clinical sources."""
    folder = tmp_path_factory.mktemp("journey")
    study = write_demo_study(folder / "study")
    header = dcmread(min(study.dicom_folder.rglob("*.dcm")), stop_before_pixels=True)
    day = datetime.datetime.strptime(str(header.StudyDate), "%Y%m%d").date()
    _tell_fhir(fhir_server, header, day)
    watch, node, hl7_port = folder / "watch", Node(folder / "node"), free_port()
    watch.mkdir()
    _configure(node, fhir_server, hl7_port, watch)
    node.start()
    try:
        wait_until(lambda: _is_open(hl7_port), seconds=60, what="the HL7 part listens")
        answers = send_hl7(folder / "sender", hl7_port, _messages(header, day))
        assert [answer.split("|")[1] for answer in answers] == ["AA", "AA", "AA"]
        for path in study.dicom_folder.rglob("*.dcm"):
            if "portal" in str(dcmread(path, stop_before_pixels=True).get("SeriesDescription")):
                path.rename(watch / path.name)
        wait_until(lambda: _is_over(node), seconds=SECONDS, what="the job is over")
        (result,) = (p for p in (node.folder / "state" / "results").iterdir() if p.is_dir())
        yield Journey(result, _rows(node, "select text from events"), fhir_server, header)
    finally:
        node.stop()


def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
        return True
    return False


def _is_over(node: Node) -> bool:
    states = set(node.job_states().values())
    assert not states & {"dead-letter", "cancelled"}, node.log.read_text()[-3000:]
    return bool(states & {"delivered", "not-analyzed"})


def _rows(node: Node, query: str) -> list[str]:
    engine = sa.create_engine(f"sqlite:///{node.folder / 'state' / 'node.sqlite'}")
    with engine.connect() as connection:
        return [str(row[0]) for row in connection.execute(sa.text(query))]


def test_the_history_of_the_study_names_every_source(journey: Journey) -> None:
    (line,) = [text for text in journey.events if "values of this patient" in text]
    assert "EHR: 5 values of this patient" in line
    assert "Archive: clinical data not available: no connection (ConnectError)" in line
    assert "HL7 feed: 2 values in 2 messages of this patient" in line


def test_values_of_both_sources_and_their_scores_stand_in_the_pdf(journey: Journey) -> None:
    text = " ".join(pdf_text((journey.result / "report.pdf").read_bytes()).split())
    text = text.replace("−", "-")
    assert "-2.586" in text  # ALBI of 1 mg/dL from FHIR and the corrected 4 g/dL from HL7
    assert "FHIR Observation/" in text
    assert "HL7 message c2 OBX 1" in text
    assert "121" in text  # AFP 100 IU/mL
    assert "Archive: clinical data not available" in text


def test_values_and_scores_stand_in_the_sr(journey: Journey) -> None:
    sr = read_dataset((journey.result / "sr.dcm").read_bytes())
    tree = str(sr)
    assert "ALBI" in tree
    assert "-2.586" in tree
    texts = [str(item.TextValue) for item in _items(sr) if "TextValue" in item]
    assert any("Archive: clinical data not available" in text for text in texts)


def _items(node: Dataset) -> Iterator[Dataset]:
    """Every content item of a structured report, depth first."""
    for item in node.get("ContentSequence", []):
        yield item
        yield from _items(item)


def test_every_score_says_which_message_and_which_observation_it_used(journey: Journey) -> None:
    result = json.loads((journey.result / "result.json").read_text())
    (albi,) = [s for s in result["scores"] if s["name"] == "ALBI"]
    sources = [i["source"] for i in albi["inputs"]]
    assert sources[0].startswith("FHIR Observation/")
    assert sources[1] == "HL7 message c2 OBX 1"
    observed = {o["analyte"]: o for o in result["clinical"]["observations"]}
    assert observed["afp"]["value"] == pytest.approx(121.0)
    assert observed["albumin"]["status"] == "corrected"
    refused = {r["analyte"]: r for r in result["clinical"]["rejections"]}
    assert refused["creatinine"]["kind"] == "implausible"


def test_the_result_is_on_the_fhir_server_as_preliminary(journey: Journey) -> None:
    uid = f"urn:oid:{journey.header.StudyInstanceUID}"
    for kind in ("DiagnosticReport", "RiskAssessment"):
        found = _about(journey, kind, uid)
        assert found, kind
        assert {r["status"] for r in found} == {"preliminary"}
        assert all(r["subject"]["reference"].startswith("Patient/") for r in found)
    probabilities = [
        p["probabilityDecimal"]
        for r in _about(journey, "RiskAssessment", uid)
        for p in r["prediction"]
    ]
    assert max(probabilities) > 1.0  # percent


def _about(journey: Journey, kind: str, uid: str) -> list[dict[str, Any]]:
    bundle = httpx.get(f"{journey.fhir}/{kind}", timeout=30.0).json()
    resources = [entry["resource"] for entry in bundle.get("entry", [])]
    return [r for r in resources if uid in json.dumps(r)]


def test_nothing_of_the_patient_is_in_the_nodes_log(journey: Journey) -> None:
    log = (journey.result.parents[2] / "node.log").read_text()
    assert str(journey.header.PatientID) not in log
    assert "HepatoCast^Phantom" not in log
