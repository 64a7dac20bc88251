# ruff: noqa: RUF009  (setting() and needed() are dataclass fields with their documentation)
"""Settings of the clinical sources, in the style of ``dicom_node.settings``.

Secrets are files, never values: tokens and keys stay out of the configuration.
"""

from dataclasses import dataclass
from pathlib import Path

from dicom_node.settings import needed, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Which identifier system a FHIR server uses for an Issuer of Patient ID."""

    name: str = needed("Issuer of Patient ID as in the DICOM header.")
    system: str = needed("Identifier system on the FHIR server.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCode:
    """A code of the site that means one of HepatoCast's analytes."""

    code: str = needed('"system|code" as the FHIR server has it.')
    analyte: str = needed("Analyte key (hepatocast score --list shows them).")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartClient:
    """SMART Backend Services registration; empty token_url: not used."""

    token_url: str = setting("", "Token endpoint of the authorization server.")
    client_id: str = setting("", "Client id as registered.")
    key_id: str = setting("", "Key id (kid) of the registered public key.")
    key_file: Path | None = setting(None, "PEM private key.")
    algorithm: str = setting("RS384", "RS384 or ES384.")
    scope: str = setting("system/*.read", "Scopes to ask for.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirServer:
    """A FHIR R4 server that knows clinical values."""

    base_url: str = needed("Service base URL, https:// outside of tests.")
    issuers: tuple[Issuer, ...] = setting((), "Identifier systems by issuer.")
    codes: tuple[SiteCode, ...] = setting((), "The site's own codes.")
    token_file: Path | None = setting(None, "File with a bearer token; empty: none.")
    smart: SmartClient = setting(SmartClient(), "SMART Backend Services.")
    authorities: Path | None = setting(None, "PEM bundle to trust; empty: the system's.")
    certificate: Path | None = setting(None, "PEM client certificate for mutual TLS.")
    key: Path | None = setting(None, "PEM key of the client certificate.")
    request_seconds: float = setting(10.0, "Longest wait for one answer.")
    search_seconds: float = setting(60.0, "Longest wait for a search with all its pages.")
    attempts: int = setting(3, "Tries per request.")
    ask_for_codes: bool = setting(True, "Search observations by code; off for simple servers.")
    post_results: bool = setting(False, "Post DiagnosticReport and RiskAssessment as well.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Feed:
    """The MLLP listener; port 0 in the configuration means: no listener."""

    address: str = setting("127.0.0.1", "Address to bind.")
    port: int = setting(0, "TCP port (IANA: 2575); 0: no listener.")
    maximum_message_bytes: int = setting(32 << 20, "Larger messages are refused.")
    idle_seconds: float = setting(600.0, "Longest silence on a connection.")
    maximum_connections: int = setting(64, "Open connections; more are closed.")
