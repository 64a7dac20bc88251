"""From settings to open clinical sources."""

import ssl
import zoneinfo
from pathlib import Path

import httpx

from dicom_node.clinical_source.fhir_authorization import (
    BackendServiceClient,
    FileToken,
    SmartBackendServices,
    tls_context,
)
from dicom_node.clinical_source.fhir_client import FhirClient, FhirLimits
from dicom_node.clinical_source.fhir_source import FhirSource
from dicom_node.clinical_source.hl7_listener import MllpLimits
from dicom_node.clinical_source.hl7_source import Hl7Source
from dicom_node.clinical_source.hl7_store import Hl7Store
from dicom_node.clinical_source.settings import Clinical, FhirServer, Hl7Feed, SmartClient
from dicom_node.errors import ConfigurationError


def open_fhir_source(server: FhirServer, clinical: Clinical | None = None) -> FhirSource:
    """Connect settings to a source; nothing is asked yet.

    Args:
        server: The server; its settings have been checked.
        clinical: What all sources share: time zone and longest wait.

    Raises:
        ConfigurationError: A secret or certificate cannot be read.
    """
    clinical = clinical or Clinical()
    own_tls = server.authorities is not None or server.certificate is not None
    client = FhirClient(
        server.base_url,
        _authorization(server),
        _tls(server) if own_tls else None,
        FhirLimits(
            request_s=server.request_seconds,
            search_s=clinical.wait_seconds,
            fetch_s=clinical.wait_seconds,
            attempts=server.attempts,
            page_size=server.page_size,
            resources=server.maximum_resources,
        ),
    )
    return FhirSource(
        client=client,
        issuers={issuer.name: issuer.system for issuer in server.issuers},
        codes={site.code: site.analyte for site in server.codes},
        ask_for_codes=server.ask_for_codes,
        zone=zoneinfo.ZoneInfo(clinical.time_zone) if clinical.time_zone else None,
        name=server.name,
    )


def open_hl7_source(feed: Hl7Feed, store: Hl7Store) -> Hl7Source:
    """The messages a listener stored, as a source."""
    return Hl7Source(
        store=store,
        issuers={issuer.name: issuer.authority for issuer in feed.issuers},
        codes={site.code: site.analyte for site in feed.codes},
    )


def mllp_tls(feed: Hl7Feed) -> ssl.SSLContext | None:
    """TLS of the listener; None when no certificate is configured.

    Raises:
        ConfigurationError: A file cannot be used.
    """
    if feed.certificate is None:
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=feed.authorities)
        context.load_cert_chain(feed.certificate, feed.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError((f"TLS files of [clinical.hl7]: {error}",)) from error
    if feed.authorities is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def mllp_limits(feed: Hl7Feed) -> MllpLimits:
    """Bounds of the listener from its settings."""
    return MllpLimits(
        message_bytes=feed.maximum_message_bytes,
        idle_s=feed.idle_seconds,
        connections=feed.maximum_connections,
        senders=frozenset(feed.senders),
    )


def _authorization(server: FhirServer) -> httpx.Auth | None:
    if server.token_file is not None:
        return FileToken(server.token_file)
    if server.smart.token_url:
        return SmartBackendServices(_registration(server.smart))
    return None


def _registration(smart: SmartClient) -> BackendServiceClient:
    if smart.key_file is None:
        raise ConfigurationError(("smart.key_file is missing",))
    return BackendServiceClient(
        token_url=smart.token_url,
        client_id=smart.client_id,
        private_key=_secret(smart.key_file, "smart.key_file"),
        key_id=smart.key_id,
        algorithm=smart.algorithm,
        scope=smart.scope,
    )


def _tls(server: FhirServer) -> ssl.SSLContext:
    try:
        return tls_context(server.authorities, server.certificate, server.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError((f"TLS files of the FHIR server: {error}",)) from error


def _secret(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError((f"{name} cannot be read ({type(error).__name__})",)) from error
