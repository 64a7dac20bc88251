"""A result goes where the user says, and each object's fate is told (issue 7, send)."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from engine.cli.main import main
from tests.dicom_node.testbed import Orthanc, free_port
from tests.phantoms.recorded_result import write_recorded_result

TOKEN = "a-bearer-token"  # noqa: S105 - made up here


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recorded_result(tmp_path_factory.mktemp("send") / "result", "axial")


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    running = Orthanc(tmp_path_factory.mktemp("pacs"), free_port(), route=False).start()
    yield running
    running.stop()


def uids(result: Path, *kinds: str) -> set[str]:
    files = json.loads((result / "result.json").read_text())["files"]
    return {f["sop_instance_uid"] for f in files if f["sop_instance_uid"]
            and (not kinds or f["kind"] in kinds)}  # fmt: skip


def events(text: str, name: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines()]
    return [line for line in lines if line["event"] == name]


def test_every_object_arrives_at_a_real_pacs(
    result: Path, pacs: Orthanc, capsys: pytest.CaptureFixture[str]
) -> None:
    to = f"ORTHANC@127.0.0.1:{pacs.dicom_port}"
    assert main(["send", str(result), "--to", to, "--json-lines"]) == 0
    told = events(capsys.readouterr().out, "sent")
    assert {line["sop_instance_uid"] for line in told} == uids(result)
    assert all(line["accepted"] and line["answer"] == "success" for line in told)
    assert told[-1]["kind"] == "SR"
    assert set(pacs.instance_uids()) == uids(result)


def test_only_what_was_asked_for_is_sent(
    result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = Orthanc(tmp_path / "pacs", free_port(), route=False).start()
    try:
        to = f"ORTHANC@127.0.0.1:{peer.dicom_port}"
        assert main(["send", str(result), "--to", to, "--only", "SEG"]) == 0
        assert set(peer.instance_uids()) == uids(result, "SEG")
    finally:
        peer.stop()
    assert "1 of 1 objects accepted by ORTHANC@127.0.0.1" in capsys.readouterr().out


def test_nobody_there_is_told_per_object(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = f"NOBODY@127.0.0.1:{free_port()}"
    assert main(["send", str(result), "--to", to, "--timeout", "2", "--json-lines"]) == 4
    told = events(capsys.readouterr().out, "sent")
    assert len(told) == len(uids(result))
    assert {line["answer"] for line in told} == {"no connection: Connection refused"}


class Service(BaseHTTPRequestHandler):
    """A STOW-RS service that writes down what it gets and answers as told."""

    got: ClassVar[list[tuple[str, str, bytes]]] = []
    status: ClassVar[int] = 200
    failed: ClassVar[bool] = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, self.headers.get("Authorization", ""), body))
        sequence = "00081198" if self.failed else "00081199"
        item = {"00081197": {"vr": "US", "Value": [43264]}} if self.failed else {}
        answer = json.dumps({sequence: {"vr": "SQ", "Value": [item]}}).encode()
        self.send_response(self.status)
        if self.status == 302:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def web() -> Iterator[str]:
    Service.got, Service.status, Service.failed = [], 200, False
    server = HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/dicom-web"
    server.shutdown()
    server.server_close()


def test_dicomweb_gets_each_file_whole_and_the_token(
    result: Path, web: str, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    assert main(["send", str(result), "--to", web, "--token-file", str(tmp_path / "token")]) == 0
    assert {path for path, _, _ in Service.got} == {"/dicom-web/studies"}
    assert {header for _, header, _ in Service.got} == {f"Bearer {TOKEN}"}
    sent = set()
    for _, _, body in Service.got:
        content = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
        sent.add(hashlib.sha256(content).hexdigest())
    files = json.loads((result / "result.json").read_text())["files"]
    assert sent == {f["sha256"] for f in files if f["sop_instance_uid"]}


@pytest.mark.parametrize(
    ("status", "failed", "answer"),
    [(409, True, "HTTP 409, reason 43264"), (302, False, "HTTP 302"), (503, False, "HTTP 503")],
)
def test_what_the_service_refuses_is_told_and_no_redirect_is_followed(
    result: Path,
    web: str,
    capsys: pytest.CaptureFixture[str],
    status: int,
    failed: bool,
    answer: str,
) -> None:
    Service.status, Service.failed = status, failed
    assert main(["send", str(result), "--to", web, "--json-lines"]) == 4
    told = events(capsys.readouterr().out, "sent")
    assert {(line["accepted"], line["answer"]) for line in told} == {(False, answer)}


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("nowhere", "no destination"),
        ("PACS@host:99999", "no destination"),
        ("ftp://host/x", "starts with https"),
        ("https://user:secret@host/dicom-web", "Leave credentials"),
    ],
)
def test_a_destination_that_makes_no_sense_is_refused(
    result: Path, capsys: pytest.CaptureFixture[str], to: str, told: str
) -> None:
    assert main(["send", str(result), "--to", to]) == 2
    assert told in capsys.readouterr().err
    assert "secret" not in capsys.readouterr().err


def test_a_changed_file_is_not_sent(
    result: Path, web: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(result, folder)
    (folder / "seg.dcm").write_bytes((folder / "seg.dcm").read_bytes() + b"\0")
    assert main(["send", str(folder), "--to", web]) == 2
    assert "is not the file that result.json describes" in capsys.readouterr().err
    assert Service.got == []
