"""Sends what the user says where the user says: a run of its own beside the panel's. No Qt."""

import tempfile
from pathlib import Path
from typing import Any

from HepatoCastLib.errors import PanelError
from HepatoCastLib.installation import Engine
from HepatoCastLib.notice import Notice
from HepatoCastLib.presenter import Run
from HepatoCastLib.sending import show_sent, stage_sending


class Courier:
    """One delivery at a time; tells ``changed(status)``.

    Nothing is sent but by ``send``, and ``send`` is connected to one button alone.
    """

    def __init__(self, run: Run, engine: Engine) -> None:
        self.changed = Notice()
        self.busy = False
        self._run, self._engine = run, engine
        self._lines: list[dict[str, Any]] = []
        self._destination = ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        run.told.connect(self._take)
        run.succeeded.connect(lambda _folder: self._end(""))
        run.failed.connect(self._end)
        run.canceled.connect(lambda: self._end("Canceled"))

    def send(self, result: Path, destination: str) -> None:
        """Send every object of a result once."""
        if self.busy:
            return
        self._lines, self._destination = [], destination
        self._folder = tempfile.TemporaryDirectory(prefix="hepatocast-send-")
        try:
            job = stage_sending(result, destination, Path(self._folder.name))
            python, environment = self._engine.locate()
        except PanelError as error:
            self._end(str(error))
            return
        self.busy = True
        self.changed(f"Sending to {destination}")
        self._run.start(python, job, environment)

    def clean_up(self) -> None:
        """The panel goes."""
        self._run.stop_now()

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("event") != "sent":
            return
        self._lines.append({**message, "destination": self._destination})
        show_sent(self._lines)

    def _end(self, failure: str) -> None:
        self.busy = False
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        accepted = sum(bool(line["accepted"]) for line in self._lines)
        told = f"{accepted} of {len(self._lines)} objects accepted by {self._destination}"
        if not self._lines or accepted == len(self._lines):
            told = failure or told
            self.changed(f"Not sent: {failure}" if failure else told)
            return
        self.changed(told)
