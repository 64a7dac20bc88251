"""What every page needs: configuration, durable state, sessions, templates."""

import shutil
import time
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

from dicom_node.audit import INSTANCES_ACCESSED, AuditTrail
from dicom_node.dashboard.sessions import Sessions, cookie_name
from dicom_node.dispatch import Dispatch
from dicom_node.ledger import Ledger
from dicom_node.model_switch import ModelSwitches
from dicom_node.prior_book import PriorBook
from dicom_node.settings import Configuration

HERE = Path(__file__).parent
MAXIMUM_FORM_BYTES = 65536
SAME_LOOK_SECONDS, REMEMBERED_LOOKS = 600.0, 4096
# The engine's stages in their order, as its progress events name them.
STAGES = (
    "series", "clinical", "volume", "segmentation", "lesions", "phases", "radiomics", "scores",
    "prognosis", "reporting",
)  # fmt: skip
LIVE_STATES = ("queued", "analyzing", "delivering")


class LoginNeededError(Exception):
    """The request has no valid session."""


class Dashboard:
    """Shared by all routes."""

    def __init__(self, configuration: Configuration, ledger: Ledger) -> None:
        self.configuration, self.ledger, self.index = configuration, ledger, ledger.index
        self.dispatch = Dispatch(ledger.index.engine)
        self.priors = PriorBook(ledger.index.engine)
        self.switches = ModelSwitches(configuration, ledger.index)
        self.audit = AuditTrail(configuration)
        settings = configuration.dashboard
        self.cookie = cookie_name(is_secure=settings.certificate is not None)
        self.sessions = Sessions(
            settings.token, hours=settings.session_hours, engine=ledger.index.engine
        )
        self._looked: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "moment": show_moment, "ago": show_ago, "size": show_size, "day": show_day,
            "person": show_person,
        }  # fmt: skip
        self._templates.globals["stages"] = STAGES

    @property
    def results(self) -> Path:
        """Where result folders lie."""
        return self.configuration.shared / "results"

    def page(self, name: str, session: str, **values: Any) -> HTMLResponse:  # noqa: ANN401
        """Render a template; ``csrf`` is in every one of them."""
        csrf = self.sessions.csrf_token(session) if session else ""
        template = self._templates.get_template(name)
        title = self.configuration.ae_title
        paused = self.index.read_switch("paused") == "yes" if session else False
        return HTMLResponse(
            template.render(
                csrf=csrf, ae_title=title, paused=paused, now=time.time(), page=name, **values
            )
        )

    def session_of(self, request: Request) -> str:
        """The session of a request.

        Raises:
            LoginNeededError: It has none that is valid.
        """
        session = request.cookies.get(self.cookie)
        if not self.sessions.is_valid(session) or session is None:
            raise LoginNeededError
        return session

    def check_form(self, request: Request, form: dict[str, str]) -> str:
        """Refuse a form that was not made for this session; the session.

        Raises:
            LoginNeededError: No valid session.
            HTTPException: 403, the form is from elsewhere.
        """
        session = self.session_of(request)
        if not self.sessions.is_own_form(session, form.get("csrf", "")):
            raise HTTPException(403, "The form is not from this session")
        return session

    def note_access(self, session: str, study_uid: str, address: str) -> None:
        """Audit that a study was looked at; a page that keeps itself fresh counts once."""
        now, key = time.monotonic(), (session, study_uid)
        if now - self._looked.get(key, float("-inf")) < SAME_LOOK_SECONDS:
            return
        self._looked[key] = now
        self._looked.move_to_end(key)
        while len(self._looked) > REMEMBERED_LOOKS:
            self._looked.popitem(last=False)
        self.audit.record(INSTANCES_ACCESSED, study_uid=study_uid, participant=address)

    def used_share(self) -> float:
        """Part of the state disk that is in use, 0..1."""
        usage = shutil.disk_usage(self.configuration.storage.folder)
        return usage.used / usage.total if usage.total else 0.0


def address_of(request: Request) -> str:
    """Network address of the browser."""
    return request.client.host if request.client else ""


async def read_form(request: Request) -> dict[str, str]:
    """A small urlencoded form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAXIMUM_FORM_BYTES:
            raise HTTPException(413)
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


Form = Annotated[dict[str, str], Depends(read_form)]


def show_moment(seconds: float | None) -> str:
    """A moment as date and time, UTC."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def show_day(text: str) -> str:
    """A DICOM date with dashes; anything else as it is."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def show_person(name: str) -> str:
    """A DICOM person name as people write it; further scripts follow in brackets."""
    groups = [" ".join(group.replace("^", " ").split()) for group in name.split("=")]
    first, *others = [group for group in groups if group] or [""]
    return f"{first} ({', '.join(others)})" if others else first


def show_ago(seconds: float | None) -> str:
    """How long ago, in the largest unit that makes sense."""
    if seconds is None:
        return ""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


def show_size(count: float) -> str:
    """Bytes in decimal units."""
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
