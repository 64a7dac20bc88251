"""Must show 5: the dashboard in real Chromium; screenshots are kept in .peers/screenshots."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.acceptance.node.conftest import Site
from tests.dicom_node.testbed import ROOT, Node, Orthanc, make_ct, store, wait_until, write_files

pytestmark = pytest.mark.peer

PEERS = ROOT / ".peers"
SCRIPT = Path(__file__).with_name("dashboard.mjs")
TOKEN = "test-token-0123456789"  # noqa: S105


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("watched")
    node = Node(folder / "node")
    pacs = Orthanc(folder / "pacs", node.port, route=False).start()
    try:
        node.configure(pacs.dicom_port, behavior="by-patient").start()
        yield Site(pacs, node, folder)
    finally:
        node.stop()
        pacs.stop()


def send(site: Site, behavior: str) -> str:
    series = make_ct(patient=behavior)
    study = str(series[0].StudyInstanceUID)
    assert store(site.node.port, write_files(series, site.folder / study), called="HEPATOCAST") == 0
    return study


def test_the_dashboard_shows_and_steers_the_node(watched: Site) -> None:
    """Login, worklist, filter, timeline, key image, PDF, retry, system, logout."""
    if not (PEERS / "node_modules" / "playwright-core").is_dir():
        PEERS.mkdir(exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", PEERS, "playwright-core"], check=True)
    delivered, dead = send(watched, "result"), send(watched, "crash")
    wait_until(
        lambda: (
            watched.node.job_states().get(delivered) == "delivered"
            and watched.node.job_states().get(dead) == "dead-letter"
        ),
        seconds=90,
        what="both studies have ended",
    )
    pictures = PEERS / "screenshots"
    pictures.mkdir(exist_ok=True)
    base = f"http://127.0.0.1:{watched.node.dashboard_port}"
    done = subprocess.run(
        ["node", SCRIPT, base, TOKEN, delivered, dead, pictures],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PEERS": str(PEERS)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["redirected"].endswith("/login")
    assert seen["refused"] == "Wrong token, or too many tries."
    assert len(seen["worklist"]) == 2
    assert seen["filtered"] == 1
    stations = ["received", "complete", "analyzing", "analyzed", "delivered", "delivered"]
    assert seen["timeline"] == stations
    assert seen["picture"] == [128, 96]
    assert seen["pdf"] == ["application/pdf", "%PDF"]
    assert "retried" in seen["afterRetry"]
    assert "Ready for work." in seen["system"]
    assert seen["loggedOut"].endswith("/login")
    assert seen["errors"] == []
    page = np.asarray(Image.open(pictures / "pdf.png").convert("RGB")).astype(int)
    is_page_color = np.abs(page - [26, 115, 179]).max(axis=2) < 12
    assert is_page_color.sum() > 5000, "the page of the PDF is not shown"
