"""Results to a FHIR server, where a destination names one; nothing is posted by default.

The engine wrote the resources (``fhir.json``); here they get the patient's and the study's
references on the server and are created or updated by their identifiers, so that a repeated
delivery leaves one copy. Retries, pauses and dead letters are those of every delivery.
"""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from dicom_node.clinical_source.fhir_client import FhirClient
from dicom_node.clinical_source.fhir_source import FhirSource
from dicom_node.clinical_source.patient_header import IDENTIFYING_TAGS, read_patient
from dicom_node.errors import ConfigurationError, PeerError
from engine.clinical.source import SourceUnavailableError
from engine.errors import ClinicalDataError
from engine.values.identity import PatientIdentity

FHIR_NAME = "fhir.json"
_IMAGING_STUDY = "ImagingStudy"

OpenSource = Callable[[str], FhirSource]
Resource = dict[str, Any]


class FhirDelivery:
    """Sends one result to one FHIR server.

    Args:
        open_source: From a server's name in the configuration to the open source.
        issuer: Issuer of Patient ID to assume where the images state none.
    """

    def __init__(self, open_source: OpenSource, issuer: str = "") -> None:
        self._open_source, self._issuer = open_source, issuer

    def deliver(self, server: str, folder: Path) -> str:
        """Create or update the report and the risk assessments of one result.

        Args:
            server: Name of the server.
            folder: Result folder with ``fhir.json`` and a DICOM object of the study.

        Returns:
            How it was confirmed, for the delivery's row.

        Raises:
            PeerError: Not taken; another try later may help.
        """
        file = folder / FHIR_NAME
        if not file.exists():
            return "Nothing this destination can show"
        try:
            with contextlib.closing(self._open_source(server)) as source:
                stored = post(source, _resources(file), _patient_of(folder, self._issuer))
        except (SourceUnavailableError, ClinicalDataError, ConfigurationError) as error:
            raise PeerError(f"{server}: {error}") from error
        return f"{server}: {', '.join(stored)} stored"


def post(
    source: FhirSource, resources: list[Resource], patient: PatientIdentity
) -> tuple[str, ...]:
    """Create or update resources of one patient.

    Args:
        source: Finds the patient on the server, with the same right-patient check as reading.
        resources: The engine's resources, which name patient and study by identifier.
        patient: Patient of the images.

    Returns:
        "Type/id" of each resource on the server; the same ones when called again.

    Raises:
        SourceUnavailableError: The server does not take them; another try later may help.
        ClinicalDataError: The patient is not on the server, or is somebody else.
    """
    subject = {"reference": f"Patient/{source.find_patient(patient)}"}
    studies: dict[str, Resource] = {}
    stored = []
    for resource in resources:
        placed = _placed(resource, subject, source.client, studies)
        stored.append(source.client.put_by_identifier(placed))
    return tuple(f"{r['resourceType']}/{r.get('id', '?')}" for r in stored)


def _placed(
    resource: Resource, subject: Resource, client: FhirClient, studies: dict[str, Resource]
) -> Resource:
    """The resource with the references that the server knows."""
    placed = dict(resource) | {"subject": subject}
    if "contained" in placed:
        placed["contained"] = [part | {"subject": subject} for part in placed["contained"]]
    for name in ("imagingStudy", "basis"):
        if name in placed:
            placed[name] = [_study_reference(r, client, studies) for r in placed[name]]
    return placed


def _study_reference(
    reference: Resource, client: FhirClient, studies: dict[str, Resource]
) -> Resource:
    """The study by its id where the server has it; by its identifier otherwise."""
    identifier = reference.get("identifier", {})
    token = f"{identifier.get('system', '')}|{identifier.get('value', '')}"
    if token not in studies:
        studies[token] = reference
        try:
            found = client.search(_IMAGING_STUDY, {"identifier": token})
        except SourceUnavailableError:  # a server without ImagingStudy still takes the report
            found = []
        if len(found) == 1 and found[0].get("id"):
            studies[token] = reference | {"reference": f"{_IMAGING_STUDY}/{found[0]['id']}"}
    return studies[token]


def _resources(file: Path) -> list[Resource]:
    bundle = json.loads(file.read_text(encoding="utf-8"))
    return [entry["resource"] for entry in bundle["entry"]]


def _patient_of(folder: Path, issuer: str) -> PatientIdentity:
    """Patient of a result, from the first DICOM object in its folder."""
    for path in sorted(folder.iterdir()):
        try:
            header = dcmread(path, stop_before_pixels=True, specific_tags=list(IDENTIFYING_TAGS))
        except InvalidDicomError:
            continue
        return read_patient(header, issuer)
    raise ClinicalDataError("the result holds no DICOM object to know the patient by")
