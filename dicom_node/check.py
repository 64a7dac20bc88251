"""`hepatocast-node check`: everything that keeps a node from working, named at once."""

import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from dicom_node.clinical_source.connection_check import check_sources
from dicom_node.engines import WARM
from dicom_node.errors import PeerError
from dicom_node.peers import PeerClient
from dicom_node.schema import open_database
from dicom_node.settings import Configuration

ENGINE_SECONDS = 120.0


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
        try:
            client.echo(peer)
            fault = ""
        except PeerError as error:
            fault = f"C-ECHO: {error}"
        findings.append(Finding(f"peer {peer.name}", fault))
    findings += [Finding(subject, fault) for subject, fault in check_sources(configuration)]
    return findings


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
    if configuration.dashboard.enabled and not configuration.dashboard.token:
        return "no token is set, so nobody can log in (HEPATOCAST_NODE__DASHBOARD__TOKEN)"
    return ""


def _check_destinations(configuration: Configuration) -> str:
    return "" if configuration.destination else "none is configured: results stay here"
