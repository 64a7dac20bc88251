"""For ``hepatocast-node check``: do the clinical sources answer?"""

import contextlib

from dicom_node.clinical_source.hl7_store import store_path
from dicom_node.clinical_source.opening import mllp_tls, open_fhir_source
from dicom_node.clinical_source.settings import Clinical, FhirServer
from dicom_node.errors import ConfigurationError
from dicom_node.settings import Configuration
from engine.clinical.source import SourceUnavailableError


def check_sources(configuration: Configuration) -> list[tuple[str, str]]:
    """Ask every FHIR server what it is, and look at the HL7 part's files.

    Returns:
        Subject and fault of each source; an empty fault means it is fine.
    """
    clinical = configuration.clinical
    findings = [
        (f"FHIR server {server.name}", _fhir_fault(server, clinical)) for server in clinical.fhir
    ]
    if clinical.hl7.port:
        findings.append(("HL7 feed", _hl7_fault(configuration)))
    return findings


def _fhir_fault(server: FhirServer, clinical: Clinical) -> str:
    try:
        with contextlib.closing(open_fhir_source(server, clinical)) as source:
            statement = source.client.capabilities()
    except (ConfigurationError, SourceUnavailableError) as error:
        return str(error)
    version = str(statement.get("fhirVersion", ""))
    if not version.startswith("4."):
        return f"speaks FHIR {version or 'of no stated version'}, needs R4 (4.0 or 4.3)"
    return ""


def _hl7_fault(configuration: Configuration) -> str:
    folder = store_path(configuration).parent
    try:
        mllp_tls(configuration.clinical.hl7)
        folder.mkdir(parents=True, exist_ok=True)
    except (ConfigurationError, OSError) as error:
        return str(error)
    return ""
