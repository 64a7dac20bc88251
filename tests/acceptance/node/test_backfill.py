"""Backfill from a real Orthanc: found once, paused, resumed, every study taken exactly once."""

import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.dicom_node.testbed import (
    ROOT,
    Node,
    Orthanc,
    make_ct,
    store,
    wait_until,
    write_files,
)

pytestmark = pytest.mark.peer

STUDIES = 4


class Archive(Orthanc):
    """Orthanc that answers C-MOVE to the node."""

    def _configuration(self, folder: Path, node_port: int, script: Path) -> dict[str, Any]:
        base = super()._configuration(folder, node_port, script)
        return {**base, "DicomAlwaysAllowMove": True}


def test_a_cohort_is_paused_and_resumed(tmp_path: Path) -> None:
    """`pause` stops it between two studies; the same command goes on after `resume`."""
    node = Node(tmp_path / "node")
    pacs = Archive(tmp_path / "pacs", node.port, route=False).start()
    try:
        node.configure(pacs.dicom_port, dashboard="enabled = false").start()
        studies = set()
        for number in range(STUDIES):
            images = make_ct(patient=f"COHORT-{number}")
            studies.add(str(images[0].StudyInstanceUID))
            files = write_files(images, tmp_path / str(number))
            assert store(pacs.dicom_port, files, called="TESTPACS") == 0
        command = [
            sys.executable, "-m", "dicom_node.cli", "--config", str(node.path), "backfill",
            "--peer", "pacs", "--name", "cohort", "--query", "ModalitiesInStudy=CT",
            "--pause-seconds", "2",
        ]  # fmt: skip
        first = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        lines: list[str] = []
        assert first.stdout is not None
        reader = threading.Thread(target=lambda: lines.extend(first.stdout))  # type: ignore[arg-type]
        reader.start()
        wait_until(lambda: any("asked for" in line for line in lines), seconds=60, what="one asked")
        assert node.command("pause").returncode == 0
        assert first.wait(60) == 1
        reader.join(10)
        first.stdout.close()
        asked = int(re.findall(r"(\d+) of \d+ asked", "".join(lines))[-1])
        assert 1 <= asked < STUDIES
        assert node.command("resume").returncode == 0
        again = subprocess.run(
            [*command[:-1], "0"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert again.returncode == 0, again.stdout + again.stderr
        assert f"{STUDIES} of {STUDIES} asked for, 0 failed" in again.stdout
        assert again.stdout.count("asked for") == STUDIES - asked
        wait_until(
            lambda: (
                set(node.job_states().values()) == {"delivered"}
                and set(node.job_states()) == studies
            ),
            seconds=90,
            what="every study of the cohort is delivered",
        )
    finally:
        node.stop()
        pacs.stop()
