"""Must show 3: two hosts on one PostgreSQL; one dies in the middle, the other finishes."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.acceptance.node.postgres import Postgres
from tests.dicom_node.testbed import (
    Node,
    Orthanc,
    make_ct,
    store,
    wait_until,
    write_files,
)

pytestmark = pytest.mark.peer

DEAD_AFTER_SECONDS = 4


@pytest.fixture
def database_url() -> Iterator[str]:
    database = Postgres()
    yield database.url
    database.close()


def make_host(folder: Path, name: str, pacs: Orthanc, database_url: str, behavior: str) -> Node:
    return Node(folder / name).configure(
        pacs.dicom_port,
        behavior=behavior,
        confirm="find",
        top=f'host_id = "{name}"',
        storage=f'shared_folder = "{folder / "shared"}"\ndatabase = "{database_url}"',
        dashboard="enabled = false",
        extra=f"[hosts]\nheartbeat_seconds = 1\ndead_after_seconds = {DEAD_AFTER_SECONDS}\n",
    )


def test_the_other_host_finishes_what_a_dead_host_began(tmp_path: Path, database_url: str) -> None:
    """Separate state folders, shared images; the first host hangs in the analysis and dies."""
    engine = sa.create_engine(database_url.replace("postgresql", "postgresql+psycopg"))
    first = Node(tmp_path / "unused")
    pacs = Orthanc(tmp_path / "pacs", first.port, route=False).start()
    first = make_host(tmp_path, "first", pacs, database_url, "hang")
    second = make_host(tmp_path, "second", pacs, database_url, "result")

    def read(sql: str) -> list[tuple[str, ...]]:
        with engine.connect() as connection:
            if not sa.inspect(connection).has_table("jobs"):
                return []
            return [tuple(row) for row in connection.execute(sa.text(sql))]

    try:
        first.start()
        files = write_files(make_ct(), tmp_path / "ct")
        assert store(first.port, files, called="HEPATOCAST") == 0
        analyzing = "select host from jobs where state = 'analyzing'"
        wait_until(lambda: read(analyzing) == [("first",)], seconds=60, what="first analyzes")
        second.start()
        wait_until(
            lambda: ("second",) in read("select host_id from hosts where beat > 1"),
            seconds=60,
            what="second is alive",
        )
        killed_at = time.monotonic()
        first.kill()
        taken = "select host from jobs where host = 'second'"
        wait_until(lambda: read(taken), seconds=60, what="second takes the job over")
        taken_after = time.monotonic() - killed_at
        done = "select state from jobs where state = 'delivered'"
        wait_until(lambda: read(done), seconds=60, what="delivered")
        assert pacs.modalities() == ["DOC", "OT", "SEG", "SR"]
        assert taken_after < 3 * DEAD_AFTER_SECONDS
    finally:
        first.kill()
        second.stop()
        pacs.stop()
        engine.dispose()
