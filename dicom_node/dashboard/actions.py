"""Forms that change something; every one carries the session's token and is audited."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from dicom_node.audit import SOFTWARE_CONFIGURATION
from dicom_node.dashboard.pages import Dashboard, Form, address_of
from dicom_node.errors import NodeError
from dicom_node.header import is_uid
from dicom_node.model_switch import MODES
from dicom_node.routing import EVERY_CT


def add_actions(app: FastAPI, dashboard: Dashboard) -> None:
    """Add every route that changes something."""
    _add_study_actions(app, dashboard)
    _add_node_actions(app, dashboard)


def _add_study_actions(app: FastAPI, dashboard: Dashboard) -> None:
    index, ledger = dashboard.index, dashboard.ledger

    @app.post("/job/{job_id}/{action}")
    def act_on_job(request: Request, job_id: str, action: str, form: Form) -> Response:
        dashboard.check_form(request, form)
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
        dashboard.check_form(request, form)
        if not is_uid(study_uid) or index.find_study(study_uid) is None:
            raise NodeError("No such study")
        index.force_complete(study_uid)
        return RedirectResponse(f"/study/{study_uid}", 303)


def _add_node_actions(app: FastAPI, dashboard: Dashboard) -> None:
    index = dashboard.index

    @app.post("/system/pause")
    def pause(request: Request, form: Form) -> Response:
        dashboard.check_form(request, form)
        index.set_switch("paused", "yes" if form.get("paused") == "yes" else "no")
        dashboard.audit.record(SOFTWARE_CONFIGURATION, participant=address_of(request))
        return RedirectResponse("/system", 303)

    @app.post("/models/mode")
    def switch_model(request: Request, form: Form) -> Response:
        dashboard.check_form(request, form)
        name, mode = form.get("name", ""), form.get("mode", "")
        known = {package.name for package in dashboard.switches.list_packages(EVERY_CT.name)}
        if name not in known or mode not in MODES:
            raise NodeError("No such model package or mode")
        if dashboard.switches.set(name, mode, address_of(request)):
            dashboard.audit.record(SOFTWARE_CONFIGURATION, participant=address_of(request))
        return RedirectResponse("/models", 303)
