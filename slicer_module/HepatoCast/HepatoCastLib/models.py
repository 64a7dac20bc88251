"""Which model packages the engine has, read beside the panel before any run. No Qt."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from HepatoCastLib.errors import PanelError
from HepatoCastLib.installation import Engine
from HepatoCastLib.notice import Notice
from HepatoCastLib.presenter import Run

SEGMENTATION = "segmentation"
NOT_INSTALLED = "Known once the engine is installed; the button above asks first"


@dataclass(frozen=True)
class Model:
    """One segmentation package.

    Attributes:
        chosen: The bare name means this version.
    """

    name: str
    version: str
    intended_use: str
    limits: tuple[str, ...]
    chosen: bool

    @property
    def exact(self) -> str:
        """What names this version and no other."""
        return f"{self.name}@{self.version}"

    @property
    def text(self) -> str:
        """Intended use and limits, one line each."""
        return "\n".join((self.intended_use, *(f"Limit: {limit}" for limit in self.limits)))


class ModelList:
    """Reads the packages in a process of its own; tells ``changed()``."""

    def __init__(self, run: Run, engine: Engine) -> None:
        self.changed = Notice()
        self.models: tuple[Model, ...] = ()
        self._run, self._engine = run, engine
        self._told: list[dict[str, Any]] = []
        self._problem = ""
        self._again = False
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        run.told.connect(self._take)
        run.succeeded.connect(lambda _folder: self._end(""))
        run.failed.connect(self._end)
        run.canceled.connect(lambda: self._end("canceled"))

    def read(self) -> None:
        """Ask the engine that is there; never installs one."""
        if self._folder is not None:
            self._again = True
            return
        try:
            place = self._engine.installed()
        except PanelError as error:
            self._show([], str(error))
            return
        if place is None:
            self._show([], NOT_INSTALLED)
            return
        self._told = []
        self._folder = tempfile.TemporaryDirectory(prefix="hepatocast-models-")
        job = Path(self._folder.name) / "job.json"
        arguments = ["model", "list", "--json-lines"]
        told = {"arguments": arguments, "out": self._folder.name, "plain": True}
        job.write_text(json.dumps(told), encoding="utf-8")
        python, environment = place
        self._run.start(python, job, environment)

    def find(self, wanted: str) -> int:
        """Place in the list of a "name" or "name@version"; -1 when it is not there."""
        for place, model in enumerate(self.models):
            if wanted == model.exact or (wanted == model.name and model.chosen):
                return place
        return -1

    def describe(self, wanted: str) -> str:
        """What a user must know of a model before the run."""
        place = self.find(wanted)
        if place >= 0:
            return "\n".join(filter(None, (self.models[place].text, self._problem)))
        if self.models:
            return f"{wanted!r} is not listed; its use and limits are known after the run"
        return self._problem

    def clean_up(self) -> None:
        """The panel goes."""
        self._again = False
        self._run.stop_now()

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("event") == "model":
            self._told.append(message)

    def _end(self, failure: str) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        if self._again:
            self._again = False
            self.read()
            return
        unusable = [
            f"Unusable: {m['package']} {m['version']}: {m['problem']}"
            for m in self._told
            if m["problem"]
        ]
        if self._told:
            self._show(self._told, "\n".join(unusable))
        else:
            self._show([], f"The packages cannot be read: {failure or 'there are none'}")

    def _show(self, told: list[dict[str, Any]], problem: str) -> None:
        self._problem = problem
        self.models = tuple(
            Model(
                m["package"], m["version"], m["intended_use"], tuple(m["limits"]), bool(m["chosen"])
            )
            for m in told
            if m["kind"] == SEGMENTATION and not m["problem"]
        )
        self.changed()
