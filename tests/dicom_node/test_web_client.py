"""DICOMweb as a client: secrets, limits, answers per instance, broken connections."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from dicom_node.errors import NodeError, PeerError
from dicom_node.settings import Tls, WebServer
from dicom_node.web_client import (
    RetryLaterError,
    WebClient,
    make_web_tls,
    read_retry_after,
)
from tests.dicom_node.certificates import make_authority
from tests.dicom_node.testbed import make_ct, write_files
from tests.dicom_node.web_server import Answer, Seen, dicom_json, store_answer, web_server


def client_for(url: str, **settings: Any) -> WebClient:  # noqa: ANN401
    return WebClient(WebServer(name="web", url=url, answer_seconds=5.0, **settings))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_files(make_ct(slices=3), tmp_path / "files")


def test_every_instance_gets_its_own_verdict(files: list[Path]) -> None:
    """One stored, one stored with a warning, one refused: PS3.18 table 10.5.3-2."""

    def reply(seen: Seen) -> Answer:
        one, two, three = seen.uids
        return store_answer([one, two], {three: 0xA700}, 202, {two: 0xB000})

    with web_server(reply) as (url, requests):
        answer = client_for(url).store(files)
    one, two, three = requests[0].uids
    assert (answer.stored, answer.failed) == ({one: 0, two: 0xB000}, {three: 0xA700})
    assert requests[0].path == "/dicom-web/studies"
    assert requests[0].headers["accept"] == "application/dicom+json"


def test_a_duplicate_counts_as_stored(files: list[Path]) -> None:
    """0111 on a second try: the server has it."""

    def reply(seen: Seen) -> Answer:
        return store_answer([], dict.fromkeys(seen.uids, 0x0111), 409)

    with web_server(reply) as (url, _):
        answer = client_for(url).store(files)
    assert (len(answer.stored), answer.failed) == (3, {})


@pytest.mark.parametrize("body", [b"", b"<xml/>", b"[]", b"null", b'{"00081199": 7}', b"[[]]"])
def test_an_answer_that_cannot_be_read_tells_nothing(files: list[Path], body: bytes) -> None:
    with web_server(lambda _: (200, {}, body)) as (url, _):
        answer = client_for(url).store(files)
    assert (answer.stored, answer.failed, answer.is_told) == ({}, {}, False)
    assert answer.is_success


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 500])
def test_a_refusal_is_a_fault_of_the_peer(files: list[Path], status: int) -> None:
    with (
        web_server(lambda _: (status, {}, b"")) as (url, _),
        pytest.raises(PeerError, match=str(status)),
    ):
        client_for(url).store(files)


def test_a_redirect_is_not_followed(files: list[Path]) -> None:
    """Or a server could point us, with our token, at any address within the hospital."""
    location = {"Location": "http://127.0.0.1:1/elsewhere"}
    with web_server(lambda _: (307, location, b"")) as (url, requests):
        for ask in (lambda: client_for(url).store(files), client_for(url).echo):
            with pytest.raises(PeerError, match="307"):
                ask()
    assert len(requests) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_heard(files: list[Path], status: int) -> None:
    with (
        web_server(lambda _: (status, {"Retry-After": "120"}, b"")) as (url, _),
        pytest.raises(RetryLaterError) as caught,
    ):
        client_for(url).store(files)
    assert caught.value.seconds == 120


def test_retry_after_is_seconds_or_a_date_and_bounded() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 95 < read_retry_after(soon) < 101
    assert read_retry_after("7") == 7
    assert read_retry_after("999999999") == 86400
    for nothing in ("", "-5", "soon", "nan", "Mon, 01 Jan 1990 00:00:00 GMT"):
        assert read_retry_after(nothing) == 0


def test_secrets_are_read_for_every_request(tmp_path: Path) -> None:
    """A rotated token needs no restart; the file's line end is not part of it."""
    token = tmp_path / "token"
    token.write_text("first\n")
    with web_server(lambda _: dicom_json([])) as (url, requests):
        client = client_for(url, token_file=token)
        client.echo()
        token.write_text("second\n")
        client.echo()
        token.write_text("p")
        client_for(url, user="u", password_file=token).echo()
        token.unlink()
        with pytest.raises(PeerError, match="cannot be read"):
            client.echo()
    given = [r.headers["authorization"] for r in requests]
    assert given == ["Bearer first", "Bearer second", "Basic dTpw"]


def test_an_answer_is_bounded() -> None:
    with (
        web_server(lambda _: dicom_json(["x" * 10000])) as (url, _),
        pytest.raises(PeerError, match="larger answer than allowed"),
    ):
        client_for(url, maximum_answer_bytes=1000).echo()


def test_a_compressed_answer_is_not_unpacked() -> None:
    """We ask for none; a bomb that comes anyway stays packed and is no JSON."""
    bomb = (200, {"Content-Encoding": "gzip", "Content-Type": "x"}, b"\x1f\x8b" + bytes(100))
    with (
        web_server(lambda _: bomb) as (url, requests),
        pytest.raises(PeerError, match="DICOM JSON"),
    ):
        client_for(url).echo()
    assert requests[0].headers["accept-encoding"] == "identity"


def test_a_connection_cut_in_the_middle_is_a_fault_of_the_peer(tmp_path: Path) -> None:
    """The server reads 100 kB of 64 MB and goes."""
    large = tmp_path / "large.dcm"
    large.write_bytes(bytes(64 << 20))
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()

        def read_a_little() -> None:
            connection, _ = door.accept()
            with connection:
                connection.recv(100_000)

        thread = threading.Thread(target=read_a_little)
        thread.start()
        with pytest.raises(PeerError, match=r"web: (Write|Read|RemoteProtocol)Error"):
            client_for(f"http://127.0.0.1:{door.getsockname()[1]}").store([large])
        thread.join(10)


def test_a_server_that_is_silent_is_given_up(files: list[Path]) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        server = WebServer(
            name="web", url=f"http://127.0.0.1:{door.getsockname()[1]}", answer_seconds=0.3
        )  # fmt: skip
        with pytest.raises(PeerError, match="ReadTimeout"):
            WebClient(server).store(files)


def multipart(parts: list[bytes], *, is_whole: bool = True) -> Answer:
    head = b"--B\r\nContent-Type: application/dicom\r\n\r\n"
    body = b"".join(head + part + b"\r\n" for part in parts) + (b"--B--" if is_whole else b"")
    return 200, {"Content-Type": 'multipart/related; type="application/dicom"; boundary=B'}, body


def test_a_retrieved_series_comes_part_by_part() -> None:
    parts = [bytes([n]) * 300_000 for n in range(3)]
    got: list[bytes] = []

    def keep(chunks: Iterator[bytes]) -> None:
        got.append(b"".join(chunks))

    with web_server(lambda _: multipart(parts)) as (url, requests):
        assert client_for(url).retrieve_series("1.2", "1.3", keep) == 3
        assert got == parts
        assert requests[0].path == "/dicom-web/studies/1.2/series/1.3"
    with (
        web_server(lambda _: multipart(parts, is_whole=False)) as (url, _),
        pytest.raises(PeerError, match="broke off"),
    ):
        client_for(url).retrieve_series("1.2", "1.3", keep)
    with (
        web_server(lambda _: (200, {"Content-Type": "text/html"}, b"hello")) as (url, _),
        pytest.raises(NodeError, match="multipart"),
    ):
        client_for(url).retrieve_series("1.2", "1.3", keep)


def test_instances_are_read_page_by_page() -> None:
    """A server may cut its answers; QIDO-RS paging ends when nothing new comes."""
    uids = [f"1.{n}" for n in range(1500)]

    def reply(seen: Seen) -> Answer:
        offset = int(seen.path.rpartition("offset=")[2])
        page = [{"00080018": {"vr": "UI", "Value": [u]}} for u in uids[offset : offset + 1000]]
        return dicom_json(page)

    with web_server(reply) as (url, _):
        assert client_for(url).find_instances("1.2") == set(uids)


def test_both_sides_prove_who_they_are(tmp_path: Path, files: list[Path]) -> None:
    """Mutual TLS; without our certificate, or with a foreign server, nothing is sent."""
    ours, theirs = make_authority(tmp_path / "ours"), make_authority(tmp_path / "theirs")
    node, server = ours.issue("node"), ours.issue("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server)
    context.load_verify_locations(ours.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    mutual = Tls(certificate=node[0], key=node[1], authorities=ours.certificate)
    with web_server(lambda _: dicom_json([]), tls=context) as (url, requests):
        client_for(url, tls=mutual).echo()
        assert len(requests) == 1
        for tls in (
            Tls(authorities=ours.certificate),
            Tls(certificate=node[0], key=node[1], authorities=theirs.certificate),
            Tls(certificate=node[0], key=node[1]),
        ):
            with pytest.raises(PeerError):
                client_for(url, tls=tls).store(files)
        assert len(requests) == 1


def test_old_tls_is_never_spoken() -> None:
    context = make_web_tls(WebServer(name="web", url="https://x"))
    assert isinstance(context, ssl.SSLContext)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert all("ECDHE" in c["name"] or c["name"].startswith("TLS_") for c in context.get_ciphers())
    assert context.check_hostname
