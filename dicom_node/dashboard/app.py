"""The dashboard's application: headers, login, monitoring; the pages are in reading.py."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from dicom_node.audit import USER_AUTHENTICATION
from dicom_node.dashboard.actions import add_actions
from dicom_node.dashboard.metrics import find_unready, format_metrics, read_overview
from dicom_node.dashboard.pages import HERE, Dashboard, Form, LoginNeededError, address_of
from dicom_node.dashboard.reading import add_pages
from dicom_node.dashboard.stow import add_stow_route
from dicom_node.errors import NodeError
from dicom_node.ledger import Ledger
from dicom_node.settings import Configuration

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "script-src 'self'; connect-src 'self'; frame-src 'self'; object-src 'self'; "
    "form-action 'self'; frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TRANSPORT_SECURITY = "max-age=31536000"
STATIC = {"style.css": "text/css", "live.js": "text/javascript"}


def make_app(configuration: Configuration, ledger: Ledger) -> FastAPI:
    """Build the application."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    dashboard = Dashboard(configuration, ledger)
    headers = dict(SECURITY_HEADERS)
    if configuration.dashboard.certificate is not None:
        headers["Strict-Transport-Security"] = TRANSPORT_SECURITY

    @app.middleware("http")
    async def add_headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(LoginNeededError)
    def to_login(_: Request, __: Exception) -> RedirectResponse:
        return RedirectResponse("/login", 303)

    @app.exception_handler(NodeError)
    def to_message(request: Request, error: Exception) -> HTMLResponse:
        session = request.cookies.get(dashboard.cookie)
        is_known = session is not None and dashboard.sessions.is_valid(session)
        page = dashboard.page("message.html", session if is_known else "", message=str(error))  # type: ignore[arg-type]
        page.status_code = 404
        return page

    _add_monitoring(app, dashboard)
    _add_login(app, dashboard)
    add_pages(app, dashboard)
    add_actions(app, dashboard)
    add_stow_route(app, configuration)
    return app


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

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in STATIC:
            raise NodeError("No such file")
        return Response((HERE / "static" / name).read_bytes(), media_type=STATIC[name])


def _add_login(app: FastAPI, dashboard: Dashboard) -> None:
    settings = dashboard.configuration.dashboard

    @app.get("/login")
    def login_page() -> HTMLResponse:
        return dashboard.page("login.html", "", message="")

    @app.post("/login")
    def log_in(request: Request, form: Form) -> Response:
        address = address_of(request)
        session = dashboard.sessions.log_in(form.get("token", ""), address)
        is_success = session is not None
        dashboard.audit.record(USER_AUTHENTICATION, participant=address, is_success=is_success)
        if session is None:
            page = dashboard.page("login.html", "", message="Wrong token, or too many tries.")
            page.status_code = 403
            return page
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            dashboard.cookie,
            session,
            max_age=int(settings.session_hours * 3600),
            httponly=True,
            samesite="strict",
            secure=settings.certificate is not None,
        )
        return answer

    @app.post("/logout")
    def log_out(request: Request, form: Form) -> Response:
        dashboard.sessions.end(dashboard.check_form(request, form))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(
            dashboard.cookie, secure=settings.certificate is not None, httponly=True
        )
        return answer
