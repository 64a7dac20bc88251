"""Must show 8: 28 hostile cases, with a C-ECHO answered after each."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dicom_node.testbed import ROOT, Node, make_ct, write_files

pytestmark = pytest.mark.peer

SCRIPT = ROOT / ".." / "shared" / "testbed" / "scripts" / "torture.py"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "node").configure(
        104, listener="known_peers_only = false", dashboard="enabled = false"
    )
    try:
        yield node.start()
    finally:
        node.stop()


def test_a_listener_under_attack_answers_every_echo(node: Node, tmp_path: Path) -> None:
    """The testbed's script against `hepatocast-node serve`; nothing escapes the spool."""
    write_files(make_ct(slices=50, size=64), tmp_path / "data" / "ct100")
    (tmp_path / "out").mkdir()
    script = tmp_path / "torture.py"
    script.write_text(SCRIPT.read_text().replace("@TESTBED@", str(tmp_path)))
    done = subprocess.run(
        [sys.executable, script, str(node.port), "HEPATOCAST"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 28
    assert [line for line in lines if "FAILED" in line or "EXC" in line] == []
    assert "'contained'" in next(line for line in lines if line.startswith("traversal"))
    assert "40 ok" in next(line for line in lines if line.startswith("many"))
