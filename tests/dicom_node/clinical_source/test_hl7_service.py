"""The HL7 part of the node as a process: TLS, forgetting, stopping."""

import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dicom_node.clinical_source.hl7_listener import END, START
from dicom_node.clinical_source.hl7_store import Hl7Store, check_message
from tests.dicom_node.certificates import Authority, make_authority
from tests.dicom_node.testbed import ROOT, free_port, wait_until
from tests.phantoms.hl7_messages import oru

AFP = "NM|1834-1^AFP^LN||10|ng/mL|||||F"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "authority")


def _start(folder: Path, port: int, more: str) -> "subprocess.Popen[bytes]":
    config = folder / "node.toml"
    config.write_text(
        f'[storage]\nfolder = "{folder / "state"}"\n[clinical.hl7]\nport = {port}\n{more}'
    )
    command = [sys.executable, "-m", "dicom_node.cli", "--config", str(config), "run", "hl7"]
    return subprocess.Popen(command, cwd=ROOT)


def _exchange(connection: socket.socket, text: str) -> bytes:
    """The answer; empty when the peer hangs up (TLS 1.3 tells a client late)."""
    connection.settimeout(10)
    try:
        connection.sendall(START + text.encode() + END)
        return connection.recv(4096)
    except (ssl.SSLError, ConnectionError):
        return b""


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def test_only_a_sender_with_a_certificate_of_the_authority_is_heard(
    tmp_path: Path, authority: Authority
) -> None:
    certificate, key = authority.issue("127.0.0.1")
    port = free_port()
    process = _start(
        tmp_path,
        port,
        f'certificate = "{certificate}"\nkey = "{key}"\nauthorities = "{authority.certificate}"\n',
    )
    try:
        wait_until(lambda: _is_open(port), seconds=30, what="the HL7 part listens")
        context = ssl.create_default_context(cafile=authority.certificate)
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as nobody,
        ):
            assert _exchange(nobody, oru(AFP)) == b""
        context.load_cert_chain(*authority.issue("lab"))
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as laboratory,
        ):
            assert b"MSA|AA|c1" in _exchange(laboratory, oru(AFP))
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_old_messages_are_forgotten_and_what_is_acknowledged_is_kept(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "hl7.sqlite"
    store = Hl7Store(path)
    content = oru(AFP, control="old").encode()
    store.put(content, check_message(content))
    store.close()
    time.sleep(0.1)
    port = free_port()
    process = _start(tmp_path, port, "keep_days = 0.000001\n")
    try:
        wait_until(lambda: _is_open(port), seconds=30, what="the HL7 part listens")
        again = Hl7Store(path)
        wait_until(lambda: again.count() == 0, seconds=10, what="the old message is forgotten")
        with socket.create_connection(("127.0.0.1", port)) as laboratory:
            assert b"MSA|AA|new" in _exchange(laboratory, oru(AFP, control="new"))
        assert again.count() == 1
        again.close()
    finally:
        process.terminate()
        assert process.wait(20) == 0
