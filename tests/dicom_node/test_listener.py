# ruff: noqa: ANN401
"""The listener over real sockets, with pynetdicom as the sender."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, JPEG2000Lossless
from pynetdicom import AE, build_role
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    Verification,
)

from dicom_node.listener import Listener
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.testbed import free_port, make_ct, wait_until

TITLE = "HEPATOCAST"


@contextmanager
def listening(folder: Path, **tables: Any) -> Iterator[int]:
    listener_table = {"port": free_port(), "minimum_free_bytes": 0, "known_peers_only": False}
    listener_table |= tables.pop("listener", {})
    listener = Listener(build_configuration(folder, listener=listener_table, **tables))
    listener.bind()
    thread = threading.Thread(target=listener.serve)
    thread.start()
    try:
        yield listener.port
    finally:
        listener.stop()
        thread.join(10)
        assert not thread.is_alive()


def associate(
    port: int, *classes: str, title: str = TITLE, calling: str = "TEST", **more: Any
) -> Any:
    entity = AE(calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 5
    for uid in classes or (Verification,):
        entity.add_requested_context(uid)
    return entity.associate("127.0.0.1", port, ae_title=title, **more)


def echo(port: int) -> int | None:
    association = associate(port)
    if not association.is_established:
        return None
    status = association.send_c_echo()
    association.release()
    return int(status.Status)


def test_stored_bytes_are_the_bytes_that_were_sent(tmp_path: Path) -> None:
    """Pixels are compared; the dataset is never decoded and encoded again."""
    (image,) = make_ct(slices=1, size=256)
    with listening(tmp_path) as port:
        association = associate(port, CTImageStorage)
        assert association.send_c_store(image).Status == 0x0000
        association.release()
    (path,) = (tmp_path / "spool" / "new").iterdir()
    assert image.PixelData in path.read_bytes()


def test_many_instances_on_one_association_all_arrive(tmp_path: Path) -> None:
    series = make_ct(slices=40)
    with listening(tmp_path) as port:
        association = associate(port, CTImageStorage)
        statuses = {association.send_c_store(image).Status for image in series}
        association.release()
    assert statuses == {0}
    assert len(list((tmp_path / "spool" / "new").iterdir())) == 40


def test_an_unknown_caller_is_rejected(tmp_path: Path) -> None:
    """By title and by address."""
    peers = [
        {"name": "a", "ae_title": "FRIEND", "host": "127.0.0.1", "port": 1},
        {"name": "b", "ae_title": "ELSEWHERE", "host": "192.0.2.1", "port": 1},
    ]
    with listening(tmp_path, listener={"known_peers_only": True}, peer=peers) as port:
        results = {t: associate(port, calling=t) for t in ("FRIEND", "ELSEWHERE", "STRANGER")}
        for association in results.values():
            if association.is_established:
                association.release()
        assert {t: a.is_rejected for t, a in results.items()} == {
            "FRIEND": False,
            "ELSEWHERE": True,
            "STRANGER": True,
        }


def test_a_call_to_another_title_is_rejected(tmp_path: Path) -> None:
    with listening(tmp_path) as port:
        assert associate(port, title="OTHER").is_rejected


def test_associations_beyond_the_limit_are_rejected_until_one_ends(tmp_path: Path) -> None:
    with listening(tmp_path, listener={"maximum_associations": 2}) as port:
        kept = [associate(port), associate(port)]
        assert associate(port).is_rejected
        for association in kept:
            association.release()
        wait_until(lambda: echo(port) == 0, seconds=5, what="a place is free again")


def test_half_open_connections_do_not_lock_the_door(tmp_path: Path) -> None:
    """Stock pynetdicom is locked for 30 to 100 s by twelve of them (FACTS.md)."""
    with listening(tmp_path, listener={"maximum_half_open": 8}) as port:
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        for connection in silent:
            connection.sendall(b"\x01\x00")
        started = time.monotonic()
        assert echo(port) == 0
        assert time.monotonic() - started < 2
        for connection in silent:
            connection.close()


def test_a_silent_connection_is_closed_in_time(tmp_path: Path) -> None:
    with listening(tmp_path, listener={"association_seconds": 0.3}) as port:
        connection = socket.create_connection(("127.0.0.1", port))
        connection.settimeout(5)
        connection.sendall(b"\x01")
        assert connection.recv(1) == b""
        connection.close()


def test_a_compressed_instance_keeps_its_transfer_syntax(tmp_path: Path) -> None:
    (image,) = make_ct(slices=1)
    image.file_meta.TransferSyntaxUID = JPEG2000Lossless
    entity = AE("TEST")
    entity.add_requested_context(CTImageStorage, JPEG2000Lossless)
    with listening(tmp_path) as port:
        association = entity.associate("127.0.0.1", port, ae_title=TITLE)
        assert association.accepted_contexts[0].transfer_syntax == [JPEG2000Lossless]
        association.release()


def test_a_commitment_report_is_durable_before_it_is_answered(tmp_path: Path) -> None:
    """N-EVENT-REPORT with the roles reversed, as Orthanc sends it."""
    report, item = Dataset(), Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, "1.2.3"
    report.TransactionUID, report.ReferencedSOPSequence = "1.2.9", [item]
    role = build_role(StorageCommitmentPushModel, scp_role=True)
    with listening(tmp_path) as port:
        association = associate(port, StorageCommitmentPushModel, ext_neg=[role])
        status, _ = association.send_n_event_report(
            report, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        association.release()
    assert status.Status == 0
    (note,) = (tmp_path / "spool" / "notes").iterdir()
    assert note.name.endswith(".report.json")
    assert '"1.2.9"' in note.read_text()


def test_a_service_that_is_not_offered_is_answered_as_unrecognized(tmp_path: Path) -> None:
    """0211 (PS3.7 annex C), and the association lives on."""
    query = Dataset()
    query.TransactionUID = "1.2"
    with listening(tmp_path) as port:
        association = associate(port, Verification, StorageCommitmentPushModel)
        status, _ = association.send_n_action(query, 1, StorageCommitmentPushModel, "1.2.3")
        assert status.Status in (0x0000, 0x0115)
        assert association.send_c_echo().Status == 0
        association.release()


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """One authority, one certificate for both sides."""
    folder = tmp_path / "tls"
    folder.mkdir()
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
         *subject],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def test_tls_is_mutual_and_modern(tmp_path: Path, certificates: Path) -> None:
    """A peer with a certificate gets in; one without, or with plain TCP, does not."""
    cert, key = certificates / "cert.pem", certificates / "key.pem"
    tls = {"certificate": str(cert), "key": str(key), "authorities": str(cert)}
    known = ssl.create_default_context(cafile=str(cert))
    known.load_cert_chain(cert, key)
    anonymous = ssl.create_default_context(cafile=str(cert))
    anonymous.maximum_version = ssl.TLSVersion.TLSv1_2
    settings = {"tls": tls, "association_seconds": 1.0}
    with listening(tmp_path / "state", listener=settings) as port:
        good = associate(port, tls_args=(known, "localhost"))
        assert good.is_established
        assert good.send_c_echo().Status == 0
        good.release()
        with (
            socket.create_connection(("127.0.0.1", port), 5) as plain,
            pytest.raises(ssl.SSLError, match=r"(?i)alert"),
        ):
            anonymous.wrap_socket(plain, server_hostname="localhost")
        with socket.create_connection(("127.0.0.1", port), 5) as plain:
            plain.sendall(b"\x01\x00\x00\x00\x00\x44" + bytes(68))
            with suppress(ConnectionResetError):
                assert plain.recv(100)[:1] != b"\x02"


def test_stopping_lets_an_association_finish(tmp_path: Path) -> None:
    """No new one is accepted; the one that stands still gets its Success."""
    table = {"port": free_port(), "minimum_free_bytes": 0, "known_peers_only": False}
    listener = Listener(build_configuration(tmp_path, listener=table))
    listener.bind()
    thread = threading.Thread(target=listener.serve)
    thread.start()
    association = associate(listener.port, CTImageStorage)
    (image,) = make_ct(slices=1)
    port = listener.port
    listener.stop()
    thread.join(10)
    assert not thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)
    assert not listener.finish_associations(0.1)
    assert association.send_c_store(image).Status == 0
    association.release()
    assert listener.finish_associations(5.0)


def test_running_out_of_descriptors_or_threads_ends_no_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, faults = threading.Thread.start, iter([RuntimeError("can't start new thread")])

    def start(thread: threading.Thread) -> None:
        if thread.daemon and (fault := next(faults, None)):
            raise fault
        real(thread)

    with listening(tmp_path) as port:
        monkeypatch.setattr(threading.Thread, "start", start)
        with socket.create_connection(("127.0.0.1", port), 5) as refused:
            assert refused.recv(1) == b""
        monkeypatch.undo()
        assert echo(port) == 0
