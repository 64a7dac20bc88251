"""Faults of the clinical sources' settings."""

import ipaddress
import zoneinfo
from urllib.parse import urlsplit

from dicom_node.clinical_source.settings import Clinical, FhirServer, Hl7Feed
from engine.clinical.analytes import find_analyte

ALGORITHMS = ("RS384", "ES384")


def find_clinical_faults(clinical: Clinical) -> list[str]:
    """Everything wrong with ``[clinical]``."""
    names = [server.name for server in clinical.fhir]
    twice = sorted({n for n in names if names.count(n) > 1})
    faults = [f"Two of [[clinical.fhir]] are named {n!r}" for n in twice]
    faults += _zone_faults(clinical.time_zone)
    checks = [
        (clinical.wait_seconds > 0, "'clinical.wait_seconds' must be above 0"),
        (0 <= clinical.hl7.port < 65536, "'clinical.hl7.port' must be 0 to 65535"),
        (clinical.hl7.keep_days > 0, "'clinical.hl7.keep_days' must be above 0"),
        (clinical.hl7.maximum_message_bytes > 0,
         "'clinical.hl7.maximum_message_bytes' must be above 0"),
    ]  # fmt: skip
    faults += [text for fine, text in checks if not fine]
    faults += _feed_faults(clinical.hl7)
    for server in clinical.fhir:
        faults += [f"FHIR server {server.name!r}: {fault}" for fault in _server_faults(server)]
    return faults


def _zone_faults(name: str) -> list[str]:
    try:
        if name:
            zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return [f"'clinical.time_zone' {name!r} is no IANA time zone (Europe/Berlin)"]
    return []


def _feed_faults(feed: Hl7Feed) -> list[str]:
    files = (feed.certificate, feed.key, feed.authorities)
    checks = [
        ((feed.certificate is None) == (feed.key is None), "needs both 'certificate' and 'key'"),
        (feed.authorities is None or feed.certificate is not None,
         "'authorities' needs 'certificate'"),
        (all(_is_address(sender) for sender in feed.senders), "'senders' must be IP addresses"),
    ]  # fmt: skip
    faults = [f"[clinical.hl7] {text}" for fine, text in checks if not fine]
    unknown = [c.analyte for c in feed.codes if not _known(c.analyte)]
    faults += [f"[clinical.hl7] analyte {analyte!r} is unknown" for analyte in unknown]
    return faults + [f"[clinical.hl7] no such file: {f}" for f in files if f and not f.is_file()]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _server_faults(server: FhirServer) -> list[str]:
    parts = urlsplit(server.base_url)
    smart = server.smart
    is_private = _is_loopback(parts.hostname or "")
    checks = [
        (parts.scheme in ("http", "https") and bool(parts.hostname),
         "'base_url' must begin with http:// or https:// and name a host"),
        (parts.username is None and not (parts.query or parts.fragment),
         "'base_url' must hold no password, no '?' and no '#'"),
        (parts.scheme == "https" or is_private,
         "patient data would travel in the clear; use https"),
        (server.token_file is None or not smart.token_url,
         "'token_file' and 'smart' exclude each other"),
        (not smart.token_url or smart.key_file is not None, "'smart.key_file' is missing"),
        (not smart.token_url or bool(smart.client_id), "'smart.client_id' is missing"),
        (smart.algorithm in ALGORITHMS, f"'smart.algorithm' must be {' or '.join(ALGORITHMS)}"),
        (server.key is None or server.certificate is not None, "'key' needs 'certificate'"),
        (server.request_seconds > 0, "'request_seconds' must be above 0"),
        (server.attempts >= 1, "'attempts' must be at least 1"),
        (server.page_size >= 1, "'page_size' must be at least 1"),
        (server.maximum_resources >= 1, "'maximum_resources' must be at least 1"),
    ]  # fmt: skip
    faults = [text for fine, text in checks if not fine]
    faults += [f"analyte {c.analyte!r} is unknown" for c in server.codes if not _known(c.analyte)]
    files = (server.token_file, smart.key_file, server.authorities, server.certificate, server.key)
    return faults + [f"no such file: {f}" for f in files if f is not None and not f.is_file()]


def _known(analyte: str) -> bool:
    return find_analyte(analyte) is not None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
