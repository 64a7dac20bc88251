"""Pages and actions without a browser: who may do what, and what it does."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from dicom_node.dashboard.app import make_app
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.schema import create_tables, open_database
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.dashboard.conftest import serving
from tests.dicom_node.test_completeness import STUDY, arrive
from tests.dicom_node.test_ledger import make_job, state_of

TOKEN = "dashboard-token-00"  # noqa: S105


@pytest.fixture
def node_ledger(tmp_path: Path) -> Ledger:
    engine = open_database(f"sqlite:///{tmp_path / 'state' / 'node.sqlite'}")
    create_tables(engine)
    return Ledger(Index(engine))


@pytest.fixture
def app(tmp_path: Path, node_ledger: Ledger) -> FastAPI:
    configuration = build_configuration(tmp_path / "state", dashboard={"token": TOKEN})
    return make_app(configuration, node_ledger)


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with serving(app) as client:
        yield client


def log_in(client: httpx.Client) -> str:
    """Log in; the CSRF token of the session."""
    answer = client.post("/login", data={"token": TOKEN})
    assert answer.status_code == 303
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/").text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", ["/", f"/study/{STUDY}", "/system", "/job/x/y/png"])
def test_without_login_every_page_leads_to_the_login(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: httpx.Client,
) -> None:
    cookie = client.post("/login", data={"token": TOKEN}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_wrong_token_is_refused(client: httpx.Client) -> None:
    assert client.post("/login", data={"token": "no"}).status_code == 403


def test_pages_forbid_scripts_frames_and_caches(client: httpx.Client) -> None:
    headers = client.get("/login").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_the_worklist_escapes_what_the_images_say(
    client: httpx.Client, node_ledger: Ledger
) -> None:
    """A Study Description is text, never markup."""
    arrive(node_ledger.index, 1)
    with node_ledger.index.engine.begin() as connection:
        connection.exec_driver_sql("update studies set study_description = '<script>x</script>'")
    log_in(client)
    text = client.get("/").text
    assert "&lt;script&gt;" in text
    assert "<script>" not in text


def test_a_form_without_its_csrf_token_does_nothing(
    client: httpx.Client, node_ledger: Ledger
) -> None:
    job = make_job(node_ledger.index, node_ledger, 1)
    log_in(client)
    answers = [client.post(f"/job/{job}/cancel", data=d) for d in ({}, {"csrf": "0" * 64})]
    assert [a.status_code for a in answers] == [403, 403]
    assert state_of(node_ledger, job) == "queued"


def test_a_job_is_cancelled_and_retried(client: httpx.Client, node_ledger: Ledger) -> None:
    job = make_job(node_ledger.index, node_ledger, 1)
    csrf = log_in(client)
    client.post(f"/job/{job}/cancel", data={"csrf": csrf})
    assert state_of(node_ledger, job) == "cancelled"
    client.post(f"/job/{job}/retry", data={"csrf": csrf})
    assert state_of(node_ledger, job) == "queued"


def test_a_study_is_declared_complete(client: httpx.Client, node_ledger: Ledger) -> None:
    arrive(node_ledger.index, 1)
    csrf = log_in(client)
    client.post(f"/study/{STUDY}/complete", data={"csrf": csrf})
    assert node_ledger.index.list_receiving() == [(STUDY, 1, True)]


def test_a_model_package_is_switched_off(client: httpx.Client, node_ledger: Ledger) -> None:
    csrf = log_in(client)
    client.post("/system/model", data={"csrf": csrf, "name": "", "mode": "off"})
    assert node_ledger.index.read_switch("model:") == "off"
    wrong = {"csrf": csrf, "name": "unknown", "mode": "off"}
    assert client.post("/system/model", data=wrong).status_code == 404


def test_a_file_name_from_the_address_is_never_a_path(
    client: httpx.Client, node_ledger: Ledger
) -> None:
    job = make_job(node_ledger.index, node_ledger, 1)
    log_in(client)
    for name in ("..%2f..%2fnode.sqlite", "outcome.json"):
        assert client.get(f"/job/{job}/{name}/pdf").status_code == 404


def test_filters_narrow_the_worklist(client: httpx.Client, node_ledger: Ledger) -> None:
    arrive(node_ledger.index, 1)
    arrive(node_ledger.index, 1, study="1.2.77")
    log_in(client)
    assert client.get("/").text.count("/study/") == 2
    assert client.get("/?q=1.2.77").text.count("/study/") == 1
    assert client.get("/?state=delivered").text.count("/study/") == 0


def test_monitoring_tells_health_readiness_and_numbers(
    client: httpx.Client, node_ledger: Ledger
) -> None:
    """Ready needs a beating worker; metrics are Prometheus text."""
    make_job(node_ledger.index, node_ledger, 1)
    assert client.get("/health").status_code == 200
    answer = client.get("/ready")
    assert (answer.status_code, answer.text) == (503, "the worker does not beat")
    metrics = client.get("/metrics").text
    assert 'hepatocast_jobs{state="queued"} 1' in metrics
    assert "# TYPE hepatocast_disk_free_bytes gauge" in metrics
