"""Pages and actions without a browser: who may do what, and what it does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from dicom_node.dashboard.app import make_app
from dicom_node.dashboard.pages import STAGES
from dicom_node.dashboard.worklist import PAGE
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.prior_book import PriorBook
from dicom_node.prior_choice import PriorStudy
from dicom_node.schema import create_tables, open_database
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.dashboard.conftest import serving
from tests.dicom_node.recorded_engine import RECORDED
from tests.dicom_node.test_completeness import STUDY, arrive
from tests.dicom_node.test_ledger import finish, make_job, state_of
from tests.dicom_node.testbed import ROOT

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
    client.post("/models/mode", data={"csrf": csrf, "name": "", "mode": "off"})
    assert node_ledger.index.read_switch("model:") == "off"
    page = client.get("/models").text
    assert "own package: off" in page
    assert "from 127.0.0.1" in page
    for wrong in ({"name": "unknown", "mode": "off"}, {"name": "", "mode": "half"}):
        assert client.post("/models/mode", data={"csrf": csrf, **wrong}).status_code == 404


def test_a_switch_is_audited(tmp_path: Path, node_ledger: Ledger) -> None:
    """PS3.15: software configuration was changed, and from where."""
    trail = tmp_path / "audit.xml"
    configuration = build_configuration(
        tmp_path / "state", dashboard={"token": TOKEN}, audit={"file": str(trail)}
    )
    with serving(make_app(configuration, node_ledger)) as client:
        csrf = log_in(client)
        client.post("/models/mode", data={"csrf": csrf, "name": "", "mode": "off"})
    last = trail.read_text().splitlines()[-1]
    assert "Software Configuration" in last
    assert "127.0.0.1" in last


def test_a_file_name_from_the_address_is_never_a_path(
    client: httpx.Client, node_ledger: Ledger
) -> None:
    job = make_job(node_ledger.index, node_ledger, 1)
    log_in(client)
    for name in ("..%2f..%2fnode.sqlite", "outcome.json"):
        assert client.get(f"/job/{job}/{name}/pdf").status_code == 404


def test_a_look_at_a_study_is_audited_once_however_often_the_page_refreshes(
    tmp_path: Path, node_ledger: Ledger
) -> None:
    arrive(node_ledger.index, 1)
    trail = tmp_path / "audit.xml"
    configuration = build_configuration(
        tmp_path / "state", dashboard={"token": TOKEN}, audit={"file": str(trail)}
    )
    with serving(make_app(configuration, node_ledger)) as client:
        for _ in range(2):
            log_in(client)
            for _ in range(3):
                client.get(f"/study/{STUDY}")
    assert trail.read_text().count("DICOM Instances Accessed") == 2


def test_a_logged_out_session_is_worth_nothing_wherever_its_copy_is(
    client: httpx.Client,
) -> None:
    csrf = log_in(client)
    stolen = dict(client.cookies)
    assert client.post("/logout", data={"csrf": csrf}).headers["location"] == "/login"
    answer = httpx.get(f"{client.base_url}", cookies=stolen)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_a_planted_session_stays_none(client: httpx.Client) -> None:
    """Fixation: the cookie a browser came with is never the session it leaves with."""
    client.cookies.set("hepatocast_session", "9999999999.planted.0")
    answer = client.post("/login", data={"token": TOKEN})
    assert "planted" not in answer.headers["set-cookie"]


@pytest.mark.parametrize("value", ["\u00e9", "1.2.\u00e9", "x", "..", "."])
def test_a_strange_cookie_or_form_token_is_refused_not_a_fault(
    client: httpx.Client, value: str
) -> None:
    cookie = {"Cookie": f"hepatocast_session={value}".encode("latin-1")}
    assert client.get("/", headers=cookie).status_code == 303
    log_in(client)
    assert client.post("/system/pause", data={"csrf": value}).status_code == 403


def test_a_strange_login_is_refused_not_a_fault(client: httpx.Client) -> None:
    assert client.post("/login", data={"token": "\u00e9\u4e2d"}).status_code == 403
    assert client.post("/login", content=b"\xff\xfe=\xff").status_code == 403
    assert client.post("/login", content=b"a" * 100_000).status_code == 413


def test_only_two_static_files_exist(client: httpx.Client) -> None:
    assert client.get("/static/live.js").headers["content-type"].startswith("text/javascript")
    for name in ("..%2fapp.py", "app.py", "../app.py"):
        assert client.get(f"/static/{name}").status_code == 404


def test_scripts_come_from_here_only(client: httpx.Client) -> None:
    policy = client.get("/login").headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_filters_narrow_the_worklist(client: httpx.Client, node_ledger: Ledger) -> None:
    arrive(node_ledger.index, 1)
    arrive(node_ledger.index, 1, study="1.2.77")
    log_in(client)
    assert client.get("/").text.count("/study/") == 2
    assert client.get("/?q=1.2.77").text.count("/study/") == 1
    assert client.get("/?q=%25").text.count("/study/") == 0
    assert client.get("/?state=receiving&source=PACS&days=1").text.count("/study/") == 2
    assert client.get("/?source=OTHER").text.count("/study/") == 0
    empty = client.get("/?state=delivered").text
    assert empty.count("/study/") == 0
    assert "No study fits this filter" in empty
    for odd in ("days=-1", "days=x", "page=99999999999999999999", "days=\u0663"):
        assert client.get(f"/?{odd}").status_code == 200


def test_the_worklist_has_pages(client: httpx.Client, node_ledger: Ledger) -> None:
    """Filters look at every study, not only at the latest."""
    for number in range(PAGE + 3):
        arrive(node_ledger.index, 1, study=f"1.2.9.{number}")
    log_in(client)
    first, second = client.get("/").text, client.get("/?page=1").text
    assert (first.count("/study/"), second.count("/study/")) == (PAGE, 3)
    assert client.get("/?q=1.2.9.0").text.count("/study/") >= 1


def test_the_study_page_shows_evidence_priors_and_predictions(
    client: httpx.Client, node_ledger: Ledger, tmp_path: Path
) -> None:
    job = make_job(node_ledger.index, node_ledger, 1)
    node_ledger.start_analysis(job, "host-1")
    finish(node_ledger, job)
    folder = tmp_path / "state" / "results" / job
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(RECORDED))
    prior = PriorStudy(
        study_uid="1.9", study_date="20250102", description="", series=(), source="archive"
    )
    PriorBook(node_ledger.index.engine).enter(STUDY, prior, "fetched", instances=120)
    log_in(client)
    page = client.get(f"/study/{STUDY}").text
    for told in ("34 × 21 mm", "Recurrence-free survival", "70 % at 1 year", "2025-01-02",
                 "archive", "host-1", "liver_tumor_ct 1.0.0"):  # fmt: skip
        assert told in page, told


def test_the_steps_of_a_study_are_the_engines_stages() -> None:
    """A stage the page does not know would show as no progress at all."""
    names = ("pipeline/analysis.py", "pipeline/interpretation.py", "cli/request.py")
    told = {
        name
        for path in (ROOT / "engine" / name for name in names)
        for name in re.findall(r'watch\.stage\("([a-z]+)"', path.read_text())
    }
    assert told == set(STAGES)


def test_an_unknown_study_is_told_on_a_page(client: httpx.Client) -> None:
    log_in(client)
    answer = client.get("/study/1.2.3.4")
    assert (answer.status_code, "Back to the worklist" in answer.text) == (404, True)


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
