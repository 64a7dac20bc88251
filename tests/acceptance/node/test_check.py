"""Must show 6: `hepatocast-node check` on a broken installation names every fault at once."""

import json
import re
import shutil
import socket
import sys
from pathlib import Path

import pytest

from tests.dicom_node.certificates import make_authority
from tests.dicom_node.testbed import ROOT, Node, free_port

pytestmark = pytest.mark.peer


def test_a_broken_configuration_names_every_fault(tmp_path: Path) -> None:
    """Types, unknown keys with the nearest name, references, missing files: one run."""
    node = Node(tmp_path)
    node.path.write_text(
        f"""
ae_title = "A-TITLE-THAT-IS-TOO-LONG"
[storage]
folder = "{tmp_path / "state"}"
[listener]
prot = 104
port = "eleven"
[[destination]]
name = "d"
peer = "pax"
"""
    )
    done = node.command("check")
    assert done.returncode == 2
    for fault in ("did you mean 'port'", "'listener.port' must be int"):
        assert fault in done.stderr
    node.path.write_text(node.path.read_text().replace("prot = 104\n", "").replace('"eleven"', "0"))
    done = node.command("check")
    assert done.returncode == 2
    for fault in ("'ae_title' is not an AE title", "'listener.port' must be", "no peer is named"):
        assert fault in done.stderr


def test_a_broken_installation_names_every_fault(tmp_path: Path) -> None:
    """No engine, a taken port, a silent peer, a full disk, an unusable database: one run."""
    (tmp_path / "file").write_text("in the way")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody answers, nobody can bind
        node = Node(tmp_path / "node", port=taken.getsockname()[1])
        node.configure(free_port(), listener="minimum_free_bytes = 1000000000000000")
        text = node.path.read_text()
        text = re.sub(r"(?m)^((warm_)?command) = .*$", r'\1 = ["no-such-engine"]', text)
        node.path.write_text(text.replace("/state", "/../file/state"))
        done = node.command("check")
    assert done.returncode == 1
    faults = [line for line in done.stdout.splitlines() if line.startswith("FAULT")]
    subjects = {fault.split("  ", 1)[1].split(":")[0] for fault in faults}
    assert subjects == {
        "state folder", "shared folder", "disk", "database", "DIMSE port", "engine", "peer pacs"
    }  # fmt: skip


def test_servers_certificates_and_models_are_looked_at_too(tmp_path: Path) -> None:
    """A silent DICOMweb server, a certificate about to end, a package that was changed."""
    authority = make_authority(tmp_path / "authority", hours=30)
    certificate, key = authority.issue("node")
    package = tmp_path / "liver_tumor_ct"
    shutil.copytree(max((ROOT / "models" / "liver_tumor_ct").glob("[0-9]*")), package)
    graph = next(package.glob("*.onnx"))
    graph.write_bytes(graph.read_bytes() + b"x")
    node = Node(tmp_path / "node")
    extra = f"""
[[web]]
name = "archive"
url = "http://127.0.0.1:{free_port()}/dicom-web"
[[web]]
name = "cloud"
url = "https://127.0.0.1:{free_port()}/dicom-web"
[web.tls]
certificate = "{certificate}"
key = "{key}"
[[rule]]
name = "changed"
model = "{package}"
"""
    node.configure(free_port(), extra=extra)
    verify = [sys.executable, "-m", "engine.cli", "model", "verify"]
    text = node.path.read_text().replace("self_test = []", f"self_test = {json.dumps(verify)}")
    node.path.write_text(text)
    done = node.command("check")
    assert done.returncode == 1
    faults = {
        line.split("  ", 1)[1].split(":")[0]: line
        for line in done.stdout.splitlines()
        if line.startswith("FAULT")
    }
    assert {"peer pacs", "web archive", "web cloud", f"model {package}"} <= set(faults)
    assert "QIDO-RS: archive: ConnectError" in faults["web archive"]
    assert "expires in 1 days" in faults["certificate towards cloud"]
    assert "self test failed" in faults[f"model {package}"]


def test_a_working_installation_has_no_fault(tmp_path: Path) -> None:
    """With a real peer answering C-ECHO: the node itself."""
    node = Node(tmp_path / "node")
    node.configure(node.port, listener="known_peers_only = false\ncheck_called_title = false")
    try:
        node.start("--only", "listener")
        done = node.command("check")
        assert done.stdout.count("fine ") == 9, done.stdout
        assert done.returncode == 0
    finally:
        node.stop()
