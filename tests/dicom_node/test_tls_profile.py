"""BCP 195 on every door: no old versions, no static keys, no CBC, no stranger."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dicom_node.listener import make_server_context
from dicom_node.peers import make_client_tls
from dicom_node.settings import Tls
from tests.dicom_node.certificates import Authority, make_authority


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "ours")


@contextmanager
def door(context: ssl.SSLContext) -> Iterator[int]:
    """A port that shakes hands and says hello, as often as it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                connection.settimeout(5)
                try:
                    with context.wrap_socket(connection, server_side=True) as wrapped:
                        wrapped.sendall(b"hello")
                except (ssl.SSLError, OSError):
                    connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            is_over.set()
            thread.join(10)


def says_hello(port: int, context: ssl.SSLContext) -> bool:
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 5) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped,
        ):
            return wrapped.recv(5) == b"hello"
    except (ssl.SSLError, ConnectionError):
        return False


def client(authority: Authority, *, own: bool = True) -> ssl.SSLContext:
    """A client that would agree to anything."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.set_ciphers("ALL:@SECLEVEL=0")
    if own:
        context.load_cert_chain(*authority.issue("client"))
    return context


def test_our_doors_take_only_modern_strangers_never(ours: Authority, tmp_path: Path) -> None:
    certificate, key = ours.issue("127.0.0.1")
    tls = Tls(certificate=certificate, key=key, authorities=ours.certificate)
    context = make_server_context(tls)
    assert context is not None
    with door(context) as port:
        assert says_hello(port, client(ours))
        assert not says_hello(port, client(ours, own=False)), "no certificate of the client"
        theirs = make_authority(tmp_path / "theirs")
        stranger = client(ours, own=False)
        stranger.load_cert_chain(*theirs.issue("client"))
        assert not says_hello(port, stranger), "a certificate of another authority"
        for name in ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256"):
            weak = client(ours)
            weak.maximum_version = ssl.TLSVersion.TLSv1_2
            weak.set_ciphers(f"{name}:@SECLEVEL=0")
            assert not says_hello(port, weak), name
        good = client(ours)
        good.maximum_version = ssl.TLSVersion.TLSv1_2
        good.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        assert says_hello(port, good)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # ssl.TLSVersion.TLSv1_1 on purpose
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused_at_our_doors(ours: Authority, version: ssl.TLSVersion) -> None:
    certificate, key = ours.issue("127.0.0.1")
    context = make_server_context(Tls(certificate=certificate, key=key, mutual=False))
    assert context is not None
    old = client(ours)
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, version
    with door(context) as port:
        assert not says_hello(port, old)


def test_we_refuse_old_and_foreign_peers(ours: Authority, tmp_path: Path) -> None:
    """Towards a peer: its authority, its name and its version are checked."""
    made = make_client_tls(Tls(authorities=ours.certificate), "127.0.0.1")
    assert made is not None
    context, name = made
    assert (name, context.check_hostname) == ("127.0.0.1", True)
    for authority, host, is_fine in (
        (ours, "127.0.0.1", True),
        (ours, "other.example", False),
        (make_authority(tmp_path / "theirs"), "127.0.0.1", False),
    ):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(*authority.issue(host))
        with door(server) as port:
            assert says_hello(port, context) is is_fine, (authority.folder.name, host)
    weak = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    weak.load_cert_chain(*ours.issue("127.0.0.1"))
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0")
    with door(weak) as port:
        assert not says_hello(port, context), "CBC"


def test_without_tls_nothing_is_wrapped() -> None:
    assert make_server_context(Tls()) is None
    assert make_client_tls(Tls(), "h") is None
