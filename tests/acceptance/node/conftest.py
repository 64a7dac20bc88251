"""One hospital for the acceptance tests: a real Orthanc, a real node, loopback only."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dicom_node.testbed import Node, Orthanc


@dataclass
class Site:
    """A PACS that auto-routes CT to a node, which sends results back."""

    pacs: Orthanc
    node: Node
    folder: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    node = Node(folder / "node")
    pacs = Orthanc(folder / "pacs", node.port).start()
    try:
        node.configure(pacs.dicom_port, behavior="by-patient", dashboard="enabled = false").start()
        yield Site(pacs, node, folder)
    finally:
        node.stop()
        pacs.stop()
