"""Pages that only show: worklist, study, system, model packages, previews."""

import json
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from dicom_node.analysis import find_result_file
from dicom_node.dashboard.metrics import find_unready, read_overview
from dicom_node.dashboard.pages import LIVE_STATES, Dashboard, address_of
from dicom_node.dashboard.previews import extract_pdf, render_png
from dicom_node.dashboard.result_summary import read_summary
from dicom_node.dashboard.worklist import Filter, read_worklist
from dicom_node.errors import NodeError
from dicom_node.header import is_uid
from dicom_node.index import Row
from dicom_node.model_switch import MODES
from dicom_node.routing import EVERY_CT

DAYS = (1, 7, 30)
MAXIMUM_PAGES = 10000
WAITING = 50


def add_pages(app: FastAPI, dashboard: Dashboard) -> None:
    """Add every page that shows something."""
    _add_worklist(app, dashboard)
    _add_study_page(app, dashboard)
    _add_system_page(app, dashboard)
    _add_models_page(app, dashboard)
    _add_previews(app, dashboard)


def _add_worklist(app: FastAPI, dashboard: Dashboard) -> None:
    @app.get("/")
    def worklist(request: Request) -> HTMLResponse:
        session = dashboard.session_of(request)
        wanted = read_filter(dict(request.query_params))
        return dashboard.page(
            "worklist.html",
            session,
            wanted=wanted,
            found=read_worklist(dashboard.index.engine, wanted),
            days=DAYS,
        )


def read_filter(query: dict[str, str]) -> Filter:
    """The filter of an address; what is no number counts as none."""

    def number(name: str, most: int) -> int:
        text = query.get(name, "")
        return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 9 else 0

    return Filter(
        words=query.get("q", "")[:200],
        state=query.get("state", "")[:32],
        source=query.get("source", "")[:16],
        rule=query.get("rule", "")[:200],
        days=number("days", 36500),
        page=number("page", MAXIMUM_PAGES),
    )


def _add_study_page(app: FastAPI, dashboard: Dashboard) -> None:
    index, ledger = dashboard.index, dashboard.ledger

    @app.get("/study/{study_uid}")
    def study_page(request: Request, study_uid: str) -> HTMLResponse:
        session = dashboard.session_of(request)
        study = index.find_study(study_uid) if is_uid(study_uid) else None
        if study is None:
            raise NodeError("No such study")
        dashboard.note_access(session, study_uid, address_of(request))
        jobs = [_describe_job(dashboard, job) for job in ledger.list_jobs(study_uid=study_uid)]
        return dashboard.page(
            "study.html",
            session,
            study=study,
            jobs=jobs[::-1],
            events=index.list_events(study_uid),
            series=count_series(index.list_instances(study_uid)),
            priors=dashboard.priors.list_priors(study_uid),
            prior_search=dashboard.priors.find_search(study_uid),
            is_live=study["state"] == "receiving" or any(j["state"] in LIVE_STATES for j in jobs),
        )


def _describe_job(dashboard: Dashboard, job: Row) -> dict[str, Any]:
    job_id = job["job_id"]
    return {
        **job,
        "evidence_lines": json.loads(job["evidence"]),
        "objects": dashboard.ledger.list_objects(job_id),
        "deliveries": dashboard.dispatch.list_deliveries(job_id),
        "summary": read_summary(dashboard.results / job_id) if job["outcome"] else None,
        "has_files": (dashboard.results / job_id).is_dir(),
        "mode": dashboard.switches.mode_of(job),
        "is_held": dashboard.switches.is_held(job),
    }


def _add_system_page(app: FastAPI, dashboard: Dashboard) -> None:
    ledger, configuration = dashboard.ledger, dashboard.configuration

    @app.get("/system")
    def system_page(request: Request) -> HTMLResponse:
        session = dashboard.session_of(request)
        overview = read_overview(configuration, ledger)
        waiting = ledger.list_jobs(states=("queued", "analyzing"))
        waiting.sort(key=lambda job: (job["state"] != "analyzing", job["priority"]))
        return dashboard.page(
            "system.html",
            session,
            overview=overview,
            unready=find_unready(configuration, overview),
            waiting=waiting[:WAITING],
            more=max(len(waiting) - WAITING, 0),
            planned=dashboard.dispatch.list_planned(),
            used_share=dashboard.used_share(),
            settings=configuration,
        )


def _add_models_page(app: FastAPI, dashboard: Dashboard) -> None:
    @app.get("/models")
    def models_page(request: Request) -> HTMLResponse:
        session = dashboard.session_of(request)
        jobs = dashboard.ledger.list_jobs(states=("queued", "analyzing", "delivering"))
        default = dashboard.configuration.analysis.model
        return dashboard.page(
            "models.html",
            session,
            packages=dashboard.switches.list_packages(EVERY_CT.name),
            modes=MODES,
            changes=dashboard.switches.list_changes(),
            unfinished=[job["model"] or default for job in jobs],
            refuses=dashboard.switches.refuses,
        )


def _add_previews(app: FastAPI, dashboard: Dashboard) -> None:
    ledger = dashboard.ledger

    @app.get("/job/{job_id}/{name}/{form}")
    def preview(request: Request, job_id: str, name: str, form: str) -> Response:
        dashboard.session_of(request)
        path = find_result_file(ledger, dashboard.results, job_id, name)
        if not path.is_file():
            raise NodeError("The result was deleted by retention")
        if form == "png":
            return Response(render_png(path), media_type="image/png")
        if form == "pdf":
            return Response(extract_pdf(path), media_type="application/pdf")
        raise NodeError("No such preview")


def count_series(instances: Sequence[Row]) -> list[dict[str, Any]]:
    """Series of a study with their numbers of instances and of conflicting copies."""
    series: dict[str, dict[str, Any]] = {}
    for row in instances:
        entry = series.setdefault(
            row["series_uid"],
            {"uid": row["series_uid"], "modality": row["modality"], "count": 0, "conflicts": 0},
        )
        entry["count"] += 1
        entry["conflicts"] += bool(row["is_conflict"])
    return sorted(series.values(), key=lambda s: (s["modality"], s["uid"]))
