"""Clinical sources for ``hepatocast clinical show``, found by their entry points."""

import os
from collections.abc import Mapping
from pathlib import Path

from dicom_node.clinical_source.fhir_source import FhirSource
from dicom_node.clinical_source.hl7_source import Hl7Source
from dicom_node.clinical_source.hl7_store import Hl7Store, store_path
from dicom_node.clinical_source.opening import open_fhir_source, open_hl7_source
from dicom_node.clinical_source.settings import Clinical, FhirServer, Issuer
from dicom_node.clinical_source.settings_faults import find_clinical_faults
from dicom_node.configuration import load_configuration
from dicom_node.errors import ConfigurationError
from engine.clinical.source import ClinicalSource
from engine.clinical.source_opening import SourceOptions
from engine.errors import ClinicalDataError


def open_fhir(address: str, options: SourceOptions) -> tuple[FhirSource, ...]:
    """A FHIR server by its base URL.

    Raises:
        ClinicalDataError: The address or a file cannot be used.
    """
    issuers = tuple(Issuer(name=name, system=to) for name, to in options.issuers.items())
    server = FhirServer(base_url=address, issuers=issuers, token_file=options.token_file)
    clinical = Clinical(fhir=(server,), time_zone=options.time_zone)
    if faults := find_clinical_faults(clinical):
        raise ClinicalDataError("; ".join(faults))
    return (open_fhir_source(server, clinical),)


def open_hl7(address: str, options: SourceOptions) -> tuple[Hl7Source, ...]:
    """The messages in the SQLite file of a listener, ``hl7:FILE``.

    Raises:
        ClinicalDataError: No such file.
    """
    store = _stored(Path(address.partition(":")[2]))
    return (Hl7Source(store=store, issuers=options.issuers),)


def open_node(
    address: str, _options: SourceOptions, environment: Mapping[str, str] | None = None
) -> tuple[ClinicalSource, ...]:
    """Every source that a node's configuration names, ``node:CONFIG``, with its secrets.

    Raises:
        ClinicalDataError: The configuration cannot be used, or names no source.
    """
    path = Path(address.partition(":")[2])
    try:
        configuration = load_configuration(path, os.environ if environment is None else environment)
        clinical = configuration.clinical
        sources: list[ClinicalSource] = [
            open_fhir_source(server, clinical) for server in clinical.fhir if server.read
        ]
    except ConfigurationError as error:
        raise ClinicalDataError(f"The configuration {path} has faults: {error}") from error
    if clinical.hl7.port:
        sources.append(open_hl7_source(clinical.hl7, _stored(store_path(configuration))))
    if not sources:
        raise ClinicalDataError(f"The configuration {path} names no clinical source")
    return tuple(sources)


def _stored(path: Path) -> Hl7Store:
    if not path.is_file():
        raise ClinicalDataError(f"No file of HL7 messages at {path}")
    return Hl7Store(path)
