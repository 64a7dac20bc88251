"""Post results to a FHIR server, when a site has configured one; nothing is posted by default."""

from dicom_node.clinical_source.fhir_client import FhirClient
from dicom_node.clinical_source.fhir_source import FhirSource
from engine.clinical.fhir_writing import FhirSubject, build_resources
from engine.values.result import AnalysisResult


def deliver(client: FhirClient, source: FhirSource, result: AnalysisResult) -> tuple[str, ...]:
    """Create or update the report and the risk assessments of one analysis.

    Args:
        client: Connection with the right to write.
        source: Finds the patient on the server, with the same right-patient check as reading.
        result: The analysis.

    Returns:
        "Type/id" of each resource on the server; the same ones when called again.

    Raises:
        SourceUnavailableError: The server does not take them; another try later may help.
        ClinicalDataError: The patient is not on the server, or is somebody else.
    """
    patient_id = source.find_patient(result.reference.study.patient)
    subject = FhirSubject(reference=f"Patient/{patient_id}")
    stored = [client.put_by_identifier(r) for r in build_resources(result, subject)]
    return tuple(f"{r['resourceType']}/{r['id']}" for r in stored)
