"""Must show 5: the dashboard in real Chromium; screenshots are kept in .peers/screenshots."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.acceptance.node.conftest import Site
from tests.acceptance.node.viewer_site import PEERS, install_playwright
from tests.dicom_node.testbed import Node, Orthanc, make_ct, store, wait_until, write_files

pytestmark = pytest.mark.peer

PICTURES = PEERS / "screenshots"
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


def drive(site: Site, part: str, *studies: str, mode: str = "") -> dict[str, Any]:
    """Run one part of the browser's script; what it saw."""
    install_playwright()
    PICTURES.mkdir(parents=True, exist_ok=True)
    base = f"http://127.0.0.1:{site.node.dashboard_port}"
    done = subprocess.run(
        ["node", SCRIPT, base, TOKEN, PICTURES, part, *studies],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PEERS": str(PEERS), "MODE": mode},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["errors"] == []
    return seen


def wait_for(site: Site, study: str, state: str) -> None:
    wait_until(
        lambda: site.node.job_states().get(study) == state, seconds=60, what=f"{study} is {state}"
    )


def test_the_dashboard_shows_and_steers_the_node(watched: Site) -> None:
    """Login, worklist, filter, timeline, key image, PDF, retry, system, logout."""
    delivered, dead = send(watched, "result"), send(watched, "crash")
    wait_until(
        lambda: (
            watched.node.job_states().get(delivered) == "delivered"
            and watched.node.job_states().get(dead) == "dead-letter"
        ),
        seconds=90,
        what="both studies have ended",
    )
    seen = drive(watched, "look", delivered, dead)
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
    assert seen["tiles"][4].split() == ["1", "Delivered"]
    assert "No study fits this filter" in seen["empty"]
    assert "No new instance for 1 s" in seen["evidence"]
    assert "70 % at 1 year" in seen["curve"]
    assert seen["line"] == pytest.approx(542, abs=1)
    assert (seen["overflow"], seen["narrowOverflow"]) == (0, 0)
    page = np.asarray(Image.open(PICTURES / "pdf.png").convert("RGB")).astype(int)
    is_page_color = np.abs(page - [26, 115, 179]).max(axis=2) < 12
    assert is_page_color.sum() > 5000, "the page of the PDF is not shown"


def test_a_study_is_cancelled_another_declared_complete(watched: Site) -> None:
    """Cancel a running analysis; with work paused, force a study complete and resume."""
    hanging = send(watched, "hang")
    wait_for(watched, hanging, "analyzing")
    assert watched.node.command("pause").returncode == 0
    receiving = send(watched, "result")
    wait_until(
        lambda: receiving in watched.node.command("status").stdout, seconds=20, what="received"
    )
    seen = drive(watched, "steer", hanging, receiving)
    assert seen["steps"][0] == "series"
    assert seen["afterCancel"] == "cancelled"
    assert seen["banner"].startswith("Work is paused")
    assert seen["forced"][-1] == "forced"
    assert seen["completeBecause"] == "Declared complete by an operator"


def test_a_package_is_switched_off_and_to_shadow(watched: Site) -> None:
    """Off: the study waits. Shadow: it is analyzed and stays here. On: it is delivered."""
    seen = drive(watched, "models", mode="off")
    assert (seen["before"], seen["after"]) == (["on"], ["off"])
    assert seen["changes"] == ["The engine's own package: off"]
    waiting = send(watched, "result")
    wait_for(watched, waiting, "queued")
    assert drive(watched, "models", mode="shadow")["after"] == ["shadow"]
    wait_for(watched, waiting, "shadow")
    assert watched.pacs.modalities(waiting) == []
    assert drive(watched, "models", mode="on")["after"] == ["on"]
    other = send(watched, "result")
    wait_for(watched, other, "delivered")
    assert watched.pacs.modalities(waiting) == []
