# ruff: noqa: RUF009  (setting() and needed() are dataclass fields with their documentation)
"""Settings of the clinical sources: ``[clinical]``, ``[[clinical.fhir]]``, ``[clinical.hl7]``.

Secrets are files, never values: tokens and keys stay out of the configuration.
"""

from dataclasses import dataclass
from pathlib import Path

from dicom_node.setting_fields import needed, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Which identifier system a FHIR server uses for an Issuer of Patient ID."""

    name: str = needed("Issuer of Patient ID as in the DICOM header.")
    system: str = needed("Identifier system on the FHIR server.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCode:
    """A code of the site that means one of HepatoCast's analytes."""

    code: str = needed('"system|code" as the FHIR server has it.')
    analyte: str = needed("Analyte key (`hepatocast score` shows them).")


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
    """A FHIR R4 server that knows clinical values, takes results, or both."""

    name: str = setting("FHIR", "Name used in this file, in notes and on the dashboard.")
    base_url: str = needed("Service base URL; https:// for every host but this one.")
    read: bool = setting(True, "Ask it for clinical values.")
    issuers: tuple[Issuer, ...] = setting((), "Identifier systems by issuer.")
    codes: tuple[SiteCode, ...] = setting((), "The site's own codes.")
    token_file: Path | None = setting(
        None, "File with a bearer token, read for every request; empty: none."
    )
    smart: SmartClient = setting(SmartClient(), "SMART Backend Services.")
    authorities: Path | None = setting(None, "PEM bundle to trust; empty: the system's.")
    certificate: Path | None = setting(None, "PEM client certificate for mutual TLS.")
    key: Path | None = setting(None, "PEM key of the client certificate.")
    request_seconds: float = setting(10.0, "Longest wait for one answer.")
    attempts: int = setting(3, "Tries per request.")
    page_size: int = setting(200, "Resources asked for per page (_count).")
    maximum_resources: int = setting(50_000, "More resources of one type are not read.")
    ask_for_codes: bool = setting(True, "Search observations by code; off for simple servers.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Which assigning authority (PID-3.4) stands for an Issuer of Patient ID."""

    name: str = needed("Issuer of Patient ID as in the DICOM header.")
    authority: str = needed("Assigning authority in the messages.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Code:
    """A code of the laboratory that means one of HepatoCast's analytes."""

    code: str = needed('"system|code": OBX-3.3 and OBX-3.1 of the messages.')
    analyte: str = needed("Analyte key (`hepatocast score` shows them).")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Feed:
    """The MLLP listener (HL7 v2); port 0: no listener."""

    address: str = setting("127.0.0.1", "Address to bind.")
    port: int = setting(0, "TCP port (IANA: 2575); 0: no listener.")
    senders: tuple[str, ...] = setting((), "Addresses that may connect; empty: any.")
    certificate: Path | None = setting(None, "PEM chain of this door; empty: no TLS.")
    key: Path | None = setting(None, "PEM private key of this door.")
    authorities: Path | None = setting(
        None, "PEM bundle; senders must then show a certificate of these authorities."
    )
    issuers: tuple[Authority, ...] = setting((), "Assigning authorities by issuer.")
    codes: tuple[Hl7Code, ...] = setting((), "The laboratory's own codes.")
    store: Path | None = setting(
        None, "SQLite file of the messages, on a local disk; empty: in the node's folder."
    )
    keep_days: float = setting(1826.0, "Messages are deleted this long after they came.")
    maximum_message_bytes: int = setting(32 << 20, "Larger messages are refused.")
    idle_seconds: float = setting(600.0, "Longest silence on a connection.")
    maximum_connections: int = setting(64, "Open connections; more are closed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinical:
    """Clinical values joined to every analysis; without fhir and hl7: none."""

    issuer: str = setting("", "Issuer of Patient ID to assume where the images state none.")
    time_zone: str = setting(
        "", "The hospital's zone (Europe/Berlin), for servers that write UTC; empty: as written."
    )
    without_birth_date: bool = setting(
        False, "Join although the images state no birth date; identifier and sex must then do."
    )
    wait_seconds: float = setting(
        60.0, "Longest wait for one source; the images are then analyzed without it."
    )
    fhir: tuple[FhirServer, ...] = setting((), "FHIR R4 servers.")
    hl7: Hl7Feed = setting(Hl7Feed(), "The HL7 v2 listener.")

    @property
    def is_used(self) -> bool:
        """Tell whether any source of clinical values is configured."""
        return self.hl7.port > 0 or any(server.read for server in self.fhir)
