"""The dashboard's pages and actions; server-rendered, nothing to build."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

from dicom_node.analysis import find_result_file
from dicom_node.audit import INSTANCES_ACCESSED, USER_AUTHENTICATION, AuditTrail
from dicom_node.dashboard.metrics import find_unready, format_metrics, read_overview
from dicom_node.dashboard.previews import extract_pdf, render_png
from dicom_node.dashboard.sessions import COOKIE, Sessions
from dicom_node.dashboard.stow import add_stow_route
from dicom_node.dispatch import Dispatch
from dicom_node.errors import NodeError
from dicom_node.header import is_uid
from dicom_node.ledger import Ledger
from dicom_node.routing import EVERY_CT
from dicom_node.settings import Configuration

HERE = Path(__file__).parent
MAXIMUM_FORM_BYTES = 65536
MODES = ("on", "shadow", "off")
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "frame-src 'self'; object-src 'self'; form-action 'self'; frame-ancestors 'self'; "
    "base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class LoginNeededError(Exception):
    """The request has no valid session."""


class Dashboard:
    """What every page needs."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self.configuration, self.ledger, self.index = configuration, ledger, ledger.index
        self.dispatch = Dispatch(ledger.index.engine)
        self.audit = AuditTrail(configuration)
        settings = configuration.dashboard
        self.sessions = Sessions(settings.token, hours=settings.session_hours)
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape()
        )
        self._templates.filters["moment"] = _moment

    def page(self, name: str, session: str, **values: Any) -> HTMLResponse:  # noqa: ANN401
        """Render a template; ``csrf`` is in every one of them."""
        csrf = self.sessions.csrf_token(session) if session else ""
        template = self._templates.get_template(name)
        title = self.configuration.ae_title
        return HTMLResponse(template.render(csrf=csrf, ae_title=title, **values))

    def models(self) -> list[dict[str, str]]:
        """Model packages in use and their switches."""
        rules = self.configuration.rule or (EVERY_CT,)
        default = self.configuration.analysis.model
        names = sorted({rule.model or default for rule in rules})
        return [{"name": n, "mode": self.index.read_switch(f"model:{n}") or "on"} for n in names]


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def make_app(configuration: Configuration, ledger: Ledger) -> FastAPI:
    """Build the application."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    dashboard = Dashboard(configuration, ledger)

    @app.middleware("http")
    async def add_headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(LoginNeededError)
    def to_login(_: Request, __: Exception) -> RedirectResponse:
        return RedirectResponse("/login", 303)

    @app.exception_handler(NodeError)
    def to_text(_: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse(str(error), 404)

    _add_monitoring(app, dashboard)
    _add_login(app, dashboard)
    _add_worklist(app, dashboard)
    _add_study_page(app, dashboard)
    _add_system_page(app, dashboard)
    _add_previews(app, dashboard)
    _add_actions(app, dashboard)
    add_stow_route(app, configuration)
    return app


async def read_form(request: Request) -> dict[str, str]:
    """A small urlencoded form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAXIMUM_FORM_BYTES:
            raise HTTPException(413)
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


Form = Annotated[dict[str, str], Depends(read_form)]


def _session_of(request: Request, dashboard: Dashboard) -> str:
    session = request.cookies.get(COOKIE)
    if not dashboard.sessions.is_valid(session) or session is None:
        raise LoginNeededError
    return session


def _add_monitoring(app: FastAPI, dashboard: Dashboard) -> None:
    configuration = dashboard.configuration

    @app.get("/health")
    def health() -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    @app.get("/ready")
    def ready() -> PlainTextResponse:
        reasons = find_unready(configuration, read_overview(configuration, dashboard.ledger))
        return PlainTextResponse("; ".join(reasons) or "ready", 503 if reasons else 200)

    @app.get("/metrics")
    def metrics() -> PlainTextResponse:
        text = format_metrics(read_overview(configuration, dashboard.ledger))
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    @app.get("/style.css")
    def style() -> Response:
        return Response((HERE / "static" / "style.css").read_bytes(), media_type="text/css")


def _add_login(app: FastAPI, dashboard: Dashboard) -> None:
    settings = dashboard.configuration.dashboard

    @app.get("/login")
    def login_page() -> HTMLResponse:
        return dashboard.page("login.html", "", message="")

    @app.post("/login")
    def log_in(request: Request, form: Form) -> Response:
        address = request.client.host if request.client else ""
        session = dashboard.sessions.log_in(form.get("token", ""), address)
        is_success = session is not None
        dashboard.audit.record(USER_AUTHENTICATION, participant=address, is_success=is_success)
        if session is None:
            page = dashboard.page("login.html", "", message="Wrong token, or too many tries.")
            page.status_code = 403
            return page
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            session,
            max_age=int(settings.session_hours * 3600),
            httponly=True,
            samesite="strict",
            secure=settings.certificate is not None,
        )
        return answer

    @app.post("/logout")
    def log_out(request: Request, form: Form) -> Response:
        _check_form(request, form, dashboard)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer


def _add_worklist(app: FastAPI, dashboard: Dashboard) -> None:
    index = dashboard.index

    @app.get("/")
    def worklist(request: Request, state: str = "", q: str = "") -> HTMLResponse:
        session = _session_of(request, dashboard)
        rows = [dict(row) for row in index.list_worklist()]
        for row in rows:
            row["shown"] = row["job_state"] if row["state"] in ("in work", "done") else row["state"]
        states = sorted({str(row["shown"]) for row in rows})
        rows = [r for r in rows if _matches(r, state, q)]
        paused = index.read_switch("paused") == "yes"
        return dashboard.page(
            "worklist.html", session, rows=rows, states=states, state=state, q=q, paused=paused
        )


def _add_study_page(app: FastAPI, dashboard: Dashboard) -> None:
    index, ledger = dashboard.index, dashboard.ledger

    @app.get("/study/{study_uid}")
    def study_page(request: Request, study_uid: str) -> HTMLResponse:
        session = _session_of(request, dashboard)
        study = index.find_study(study_uid) if is_uid(study_uid) else None
        if study is None:
            raise NodeError("No such study")
        address = request.client.host if request.client else ""
        dashboard.audit.record(INSTANCES_ACCESSED, study_uid=study_uid, participant=address)
        jobs = [_describe_job(dashboard, job) for job in ledger.list_jobs(study_uid=study_uid)]
        instances = index.list_instances(study_uid)
        return dashboard.page(
            "study.html",
            session,
            study=study,
            jobs=jobs[::-1],
            events=index.list_events(study_uid),
            series=_count_series(instances),
            is_live=any(job["state"] in ("queued", "analyzing", "delivering") for job in jobs),
        )


def _add_system_page(app: FastAPI, dashboard: Dashboard) -> None:
    index, ledger = dashboard.index, dashboard.ledger

    @app.get("/system")
    def system_page(request: Request) -> HTMLResponse:
        session = _session_of(request, dashboard)
        overview = read_overview(dashboard.configuration, ledger)
        return dashboard.page(
            "system.html",
            session,
            overview=overview,
            unready=find_unready(dashboard.configuration, overview),
            models=dashboard.models(),
            modes=MODES,
            paused=index.read_switch("paused") == "yes",
        )


def _add_previews(app: FastAPI, dashboard: Dashboard) -> None:
    ledger = dashboard.ledger

    @app.get("/job/{job_id}/{name}/{form}")
    def preview(request: Request, job_id: str, name: str, form: str) -> Response:
        _session_of(request, dashboard)
        results = dashboard.configuration.shared / "results"
        path = find_result_file(ledger, results, job_id, name)
        if form == "png":
            return Response(render_png(path), media_type="image/png")
        if form == "pdf":
            return Response(extract_pdf(path), media_type="application/pdf")
        raise NodeError("No such preview")


def _add_actions(app: FastAPI, dashboard: Dashboard) -> None:
    index, ledger = dashboard.index, dashboard.ledger

    @app.post("/job/{job_id}/{action}")
    def act_on_job(request: Request, job_id: str, action: str, form: Form) -> Response:
        _check_form(request, form, dashboard)
        job = ledger.find_job(job_id)
        if job is None or action not in ("retry", "cancel"):
            raise NodeError("No such job or action")
        if action == "retry":
            ledger.retry(job_id)
        else:
            ledger.cancel(job_id)
        return RedirectResponse(f"/study/{job['study_uid']}", 303)

    @app.post("/study/{study_uid}/complete")
    def complete(request: Request, study_uid: str, form: Form) -> Response:
        _check_form(request, form, dashboard)
        if not is_uid(study_uid) or index.find_study(study_uid) is None:
            raise NodeError("No such study")
        index.force_complete(study_uid)
        return RedirectResponse(f"/study/{study_uid}", 303)

    @app.post("/system/pause")
    def pause(request: Request, form: Form) -> Response:
        _check_form(request, form, dashboard)
        index.set_switch("paused", "yes" if form.get("paused") == "yes" else "no")
        return RedirectResponse("/system", 303)

    @app.post("/system/model")
    def switch_model(request: Request, form: Form) -> Response:
        _check_form(request, form, dashboard)
        name, mode = form.get("name", ""), form.get("mode", "")
        if name not in {m["name"] for m in dashboard.models()} or mode not in MODES:
            raise NodeError("No such model package or mode")
        index.set_switch(f"model:{name}", mode)
        return RedirectResponse("/system", 303)


def _check_form(request: Request, form: dict[str, str], dashboard: Dashboard) -> None:
    session = _session_of(request, dashboard)
    if not dashboard.sessions.is_own_form(session, form.get("csrf", "")):
        raise HTTPException(403, "The form is not from this session")


def _matches(row: dict[str, Any], state: str, words: str) -> bool:
    if state and row["shown"] != state:
        return False
    columns = ("study_uid", "patient_id", "patient_name", "accession_number", "study_description")
    text = " ".join(str(row[c] or "") for c in columns).casefold()
    return all(word in text for word in words.casefold().split())


def _describe_job(dashboard: Dashboard, job: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        **job,
        "evidence_lines": json.loads(job["evidence"]),
        "objects": dashboard.ledger.list_objects(job["job_id"]),
        "deliveries": dashboard.dispatch.list_deliveries(job["job_id"]),
    }


def _count_series(instances: list[Any]) -> list[dict[str, Any]]:
    series: dict[str, dict[str, Any]] = {}
    for row in instances:
        entry = series.setdefault(
            row["series_uid"],
            {"uid": row["series_uid"], "modality": row["modality"], "count": 0, "conflicts": 0},
        )
        entry["count"] += 1
        entry["conflicts"] += bool(row["is_conflict"])
    return sorted(series.values(), key=lambda s: (s["modality"], s["uid"]))
