"""Issue 5, must show 1: pulled values in PDF and SR, results posted to the server once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import httpx
import pytest

from dicom_node.clinical_source.fhir_client import FhirClient
from dicom_node.clinical_source.fhir_delivery import post
from dicom_node.clinical_source.fhir_source import FhirSource
from engine.clinical.join import availability_warnings, join_sources
from engine.clinical.scores.compute import compute_scores
from engine.reporting.composition import compose_reports
from engine.reporting.fhir import FhirSubject, build_resources
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import SEGMENTS, cached_result
from tests.phantoms.conformance import pdf_text, read_dataset
from tests.phantoms.ehr_peers import free_port

pytestmark = pytest.mark.peer

HEADERS = {"Content-Type": "application/fhir+json"}
DAY = date(2024, 3, 11)


def _own_result() -> AnalysisResult:
    """A result of a patient whom no other test registers on the shared server."""
    result = cached_result()
    study = result.reference.study
    patient = replace(study.patient, patient_id="PULLED-1")
    return replace(
        result, reference=replace(result.reference, study=replace(study, patient=patient))
    )


def _create(base: str, resource: dict[str, object]) -> str:
    answer = httpx.post(f"{base}/{resource['resourceType']}", json=resource, headers=HEADERS)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def source(fhir_server: str) -> Iterator[FhirSource]:
    """A server that knows the phantom's patient."""
    patient = _own_result().reference.study.patient
    born = patient.patient_birth_date
    subject = _create(
        fhir_server,
        {
            "resourceType": "Patient",
            "gender": "female",
            "birthDate": f"{born[:4]}-{born[4:6]}-{born[6:]}",
            "identifier": [{"system": "urn:phantoms", "value": patient.patient_id}],
        },
    )
    for code, value, unit in (("1975-2", 1.0, "mg/dL"), ("1751-7", 4.0, "g/dL")):
        _create(
            fhir_server,
            {
                "resourceType": "Observation",
                "status": "final",
                "subject": {"reference": f"Patient/{subject}"},
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "effectiveDateTime": "2024-03-04",
                "valueQuantity": {"value": value, "unit": unit},
            },
        )
    client = FhirClient(fhir_server)
    yield FhirSource(client=client)
    client.close()


def _joined(result: AnalysisResult, source: FhirSource) -> AnalysisResult:
    patient = result.reference.study.patient
    record = join_sources([source], patient, DAY)
    scores = compute_scores(record, result.findings.burden, patient)
    warnings = availability_warnings(record)
    return replace(result, clinical=record, scores=scores, warnings=warnings)


def test_pulled_values_and_scores_stand_in_pdf_and_sr(source: FhirSource) -> None:
    result = _joined(_own_result(), source)
    files = {file.name: file for file in compose_reports(result, SEGMENTS)}
    pdf = next(file.content for name, file in files.items() if name.endswith(".pdf"))
    text = pdf_text(pdf)
    assert "ALBI" in text
    assert "-2.586" in text.replace("−", "-")
    assert "FHIR" in text
    sr = next(
        dataset
        for name, file in files.items()
        if name.endswith(".dcm") and (dataset := read_dataset(file.content)).Modality == "SR"
    )
    tree = str(sr)
    assert "ALBI" in tree
    assert "-2.586" in tree


def test_without_a_server_the_imaging_result_still_goes_out_and_says_so() -> None:
    client = FhirClient(f"http://127.0.0.1:{free_port()}/fhir", pause=lambda _: None)
    result = _joined(_own_result(), FhirSource(client=client))
    client.close()
    files = compose_reports(result, SEGMENTS)
    pdf = next(file.content for file in files if file.name.endswith(".pdf"))
    assert "clinical data not available" in " ".join(pdf_text(pdf).split())
    assert any(file.name.endswith(".dcm") for file in files)


def test_results_are_posted_once_and_updated_afterwards(source: FhirSource) -> None:
    """The server checks the resources against the R4 StructureDefinitions."""
    result = _joined(_own_result(), source)
    resources = list(build_resources(result, FhirSubject()))
    patient = result.reference.study.patient
    first = post(source, resources, patient)
    again = post(source, resources, patient)
    assert first == again
    assert [name.split("/")[0] for name in first] == ["DiagnosticReport", "RiskAssessment"]
    for kind in ("DiagnosticReport", "RiskAssessment"):
        (stored,) = (r for r in source.client.search(kind, {}) if f"{kind}/{r['id']}" in first)
        assert stored["status"] == "preliminary"
