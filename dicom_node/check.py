"""`hepatocast-node check`: everything that keeps a node from working, named at once."""

import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from cryptography import x509

from dicom_node.clinical_source.connection_check import check_sources
from dicom_node.engines import WARM
from dicom_node.errors import PeerError
from dicom_node.peers import PeerClient
from dicom_node.routing import EVERY_CT
from dicom_node.schema import open_database
from dicom_node.settings import Configuration
from dicom_node.settings_faults import is_loopback
from dicom_node.web_client import WebClient

ENGINE_SECONDS = 120.0
MODEL_SECONDS = 600.0
RENEWAL_DAYS = 14


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; an empty fault means it is fine."""

    subject: str
    fault: str


def check_node(configuration: Configuration) -> list[Finding]:
    """Look at folders, disk, database, ports, peers, clinical sources and engine."""
    looks: list[tuple[str, Callable[[], str]]] = [
        ("state folder", lambda: _check_folder(configuration.storage.folder)),
        ("shared folder", lambda: _check_folder(configuration.shared)),
        ("disk", lambda: _check_disk(configuration)),
        ("database", lambda: _check_database(configuration)),
        ("DIMSE port", lambda: _check_port(configuration)),
        ("engine", lambda: _check_engine(configuration)),
        ("dashboard", lambda: _check_dashboard(configuration)),
        ("destinations", lambda: _check_destinations(configuration)),
    ]
    findings = [Finding(subject, look()) for subject, look in looks]
    client = PeerClient(configuration.ae_title)
    for peer in configuration.peer:
        echo = partial(client.echo, peer)
        findings.append(Finding(f"peer {peer.name}", _fault_of("C-ECHO", echo)))
    for server in configuration.web:
        ask = WebClient(server).echo
        findings.append(Finding(f"web {server.name}", _fault_of("QIDO-RS", ask)))
    for subject, path in _list_certificates(configuration):
        findings.append(Finding(f"certificate {subject}", check_certificate(path)))
    for name in _list_models(configuration):
        subject = f"model {name or 'of the engine'}"
        findings.append(Finding(subject, _check_model(configuration, name)))
    findings += [Finding(subject, fault) for subject, fault in check_sources(configuration)]
    return findings


def _fault_of(service: str, ask: Callable[[], None]) -> str:
    """Ask a peer; whatever keeps it from answering is a fault, never the end of the check."""
    try:
        ask()
    except PeerError as error:
        return f"{service}: {error}"
    except (OSError, ValueError) as error:  # an unusable certificate, a host that is no name
        return f"{service}: {type(error).__name__}"
    return ""


def _list_certificates(configuration: Configuration) -> list[tuple[str, Path]]:
    tables = [
        ("of the listener", configuration.listener.tls.certificate),
        ("of the dashboard", configuration.dashboard.certificate),
        *((f"towards {p.name}", p.tls.certificate) for p in configuration.peer),
        *((f"towards {s.name}", s.tls.certificate) for s in configuration.web),
    ]
    return [(subject, path) for subject, path in tables if path is not None]


def check_certificate(path: Path) -> str:
    """Why a certificate is or soon will be of no use; empty when it is fine."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        return f"{path} cannot be read as a PEM certificate: {type(error).__name__}"
    now = datetime.now(UTC)
    if certificate.not_valid_before_utc > now:
        return f"{path} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    days = (certificate.not_valid_after_utc - now).days
    if days < 0:
        return f"{path} expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    return f"{path} expires in {days} days; renew it" if days < RENEWAL_DAYS else ""


def _list_models(configuration: Configuration) -> list[str]:
    """Packages of the routing rules; none when no self test is configured."""
    if not configuration.analysis.self_test:
        return []
    rules = [rule for rule in configuration.rule or (EVERY_CT,) if rule.analyze]
    return sorted({rule.model or configuration.analysis.model for rule in rules})


def _check_model(configuration: Configuration, name: str) -> str:
    command = [*configuration.analysis.self_test, *([name] if name else [])]
    if shutil.which(command[0]) is None:
        return f"program not found: {command[0]}"
    try:
        done = subprocess.run(  # noqa: S603  (the operator's own configured command)
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=MODEL_SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot be run: {type(error).__name__}"
    if done.returncode == 0:
        return ""
    told = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
    return f"self test failed: {told[-1] if told else f'status {done.returncode}'}"


def _check_folder(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror}"
    return ""


def _check_disk(configuration: Configuration) -> str:
    place = configuration.storage.folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    needed = configuration.listener.minimum_free_bytes
    if free < needed:
        return f"{free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB needed (minimum_free_bytes)"
    return ""


def _check_database(configuration: Configuration) -> str:
    try:
        engine = open_database(configuration.database_url)
        with engine.connect() as connection:
            connection.execute(sa.text("select 1"))
        engine.dispose()
    except (sa.exc.SQLAlchemyError, OSError) as error:
        return f"cannot be opened: {type(error).__name__}"
    return ""


def _check_port(configuration: Configuration) -> str:
    address = (configuration.listener.address, configuration.listener.port)
    try:
        with socket.create_connection(address, timeout=2):
            return ""  # something answers: the running service
    except OSError:
        pass
    try:
        with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return f"{address[0]}:{address[1]} cannot be bound: {error.strerror}"
    return ""


def _check_engine(configuration: Configuration) -> str:
    settings = configuration.analysis
    base = list(settings.warm_command if settings.process == WARM else settings.command)
    program = base[0]
    if shutil.which(program) is None:
        return f"program not found: {program}"
    try:
        done = subprocess.run(  # noqa: S603  (the operator's own configured command)
            [*base, "--help"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ENGINE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot be run: {type(error).__name__}"
    if done.returncode != 0:
        return f"'{Path(program).name} … --help' ended with status {done.returncode}"
    return ""


def _check_dashboard(configuration: Configuration) -> str:
    settings = configuration.dashboard
    if settings.enabled and not settings.token:
        return "no token is set, so nobody can log in (HEPATOCAST_NODE__DASHBOARD__TOKEN)"
    if settings.enabled and settings.certificate is None and not is_loopback(settings.address):
        return (
            f"listens on {settings.address} without TLS: tokens and patients' names would travel "
            "in the clear (set certificate and key, or bind 127.0.0.1 behind a proxy)"
        )
    return ""


def _check_destinations(configuration: Configuration) -> str:
    return "" if configuration.destination else "none is configured: results stay here"
