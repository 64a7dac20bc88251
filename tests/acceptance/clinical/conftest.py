"""Real EHR peers, started once for the clinical acceptance tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.phantoms.ehr_peers import run_fhir_server


@pytest.fixture(scope="session")
def fhir_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of a FHIR R4 server that behaves."""
    with run_fhir_server(tmp_path_factory.mktemp("fhir") / "plain") as url:
        yield url


@pytest.fixture(scope="session")
def moody_fhir_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of a FHIR R4 server that wants a token and fails every third request."""
    folder: Path = tmp_path_factory.mktemp("fhir") / "moody"
    with run_fhir_server(folder, REQUIRE_TOKEN="open-sesame", FAIL_EVERY="3") as url:  # noqa: S106 - a test token
        yield url


@pytest.fixture(scope="session")
def slow_fhir_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of a FHIR R4 server that takes two seconds for everything."""
    with run_fhir_server(tmp_path_factory.mktemp("fhir") / "slow", DELAY_MS="2000") as url:
        yield url
