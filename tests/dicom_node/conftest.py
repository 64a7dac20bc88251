"""Shared parts of the node's tests: a configuration, an index on disk, small studies."""

from pathlib import Path
from typing import Any

import pytest

from dicom_node.configuration import parse_configuration
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.schema import create_tables, open_database
from dicom_node.settings import Configuration


def build_configuration(folder: Path, **tables: Any) -> Configuration:  # noqa: ANN401
    if "command" in tables.get("analysis", {}):
        tables["analysis"] = {"process": "fresh", **tables["analysis"]}
    table = {
        "storage": {"folder": str(folder)},
        "listener": {"minimum_free_bytes": 0, "known_peers_only": False},
        **tables,
    }
    return parse_configuration(table, {})


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return build_configuration(
        tmp_path / "state",
        peer=[{"name": "pacs", "ae_title": "PACS", "host": "127.0.0.1", "port": 104}],
        destination=[{"name": "pacs", "peer": "pacs"}],
    )


@pytest.fixture
def index(configuration: Configuration) -> Index:
    engine = open_database(configuration.database_url)
    create_tables(engine)
    return Index(engine)


@pytest.fixture
def ledger(index: Index) -> Ledger:
    return Ledger(index)
