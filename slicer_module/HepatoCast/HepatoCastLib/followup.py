"""Two time points: an earlier result folder against the result in the scene. No Qt."""

import json
import tempfile
from pathlib import Path
from typing import Any

from HepatoCastLib import outputs
from HepatoCastLib.errors import PanelError
from HepatoCastLib.installation import Engine
from HepatoCastLib.notice import Notice
from HepatoCastLib.presenter import Run

GROUP_TITLES = ("Before", "Now", "Course", "Long axis before", "Long axis now", "Role")
RESPONSE_TITLES = (
    "Criteria",
    "Sum before [mm]",
    "Sum now [mm]",
    "Change",
    "Overall",
    "Not decided",
)


class FollowUp:
    """One comparison at a time; tells ``changed(status)`` and fills two tables of the scene."""

    def __init__(self, run: Run, engine: Engine) -> None:
        self.changed = Notice()
        self.busy = False
        self._run, self._engine = run, engine
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        run.succeeded.connect(self._show)
        run.failed.connect(lambda message: self._end(f"Not compared: {message}"))
        run.canceled.connect(lambda: self._end("Canceled"))

    def compare(self, earlier: Path, current: Path) -> None:
        """Match the lesions of both results and apply the criteria."""
        if self.busy:
            return
        if not (earlier / "result.json").is_file():
            self._end("Choose the folder of an earlier result")
            return
        self._folder = tempfile.TemporaryDirectory(prefix="hepatocast-compare-")
        folder = Path(self._folder.name)
        try:
            python, environment = self._engine.locate()
        except PanelError as error:
            self._end(f"Not compared: {error}")
            return
        out = str(folder / "comparison")
        arguments = ["compare", str(earlier), str(current), "--out", out, "--json-lines"]
        job = {"arguments": arguments, "out": out, "plain": True}
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        self.busy = True
        self.changed("Comparing")
        self._run.start(python, folder / "job.json", environment)

    def clean_up(self) -> None:
        """The panel goes."""
        self._run.stop_now()

    def _show(self, folder: Path) -> None:
        found = json.loads((folder / "result.json").read_text(encoding="utf-8"))["comparison"]
        show_comparison(found)
        recist = found["assessments"][0]
        self._end(f"RECIST 1.1: {recist['overall']}. Registered {found['alignment']}.")

    def _end(self, status: str) -> None:
        self.busy = False
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        self.changed(status)


def show_comparison(found: dict[str, Any]) -> None:
    """What became of each lesion, and what each set of criteria says, as tables."""
    groups = [_group_row(group) for group in found["groups"]]
    responses = [_response_row(assessment) for assessment in found["assessments"]]
    for role, name, titles, rows in (
        ("followup", "HepatoCast follow-up", GROUP_TITLES, groups),
        ("response", "HepatoCast response", RESPONSE_TITLES, responses),
    ):
        columns = [(title, [row[i] for row in rows]) for i, title in enumerate(titles)]
        outputs.fill_table(role, name, columns)


def _group_row(group: dict[str, Any]) -> tuple[str, ...]:
    before, now = group["baseline"], group["followup"]
    return (
        "+".join(str(lesion["number"]) for lesion in before) or "–",
        "+".join(str(lesion["number"]) for lesion in now) or "–",
        group["course"],
        " + ".join(f"{lesion['long_axis_mm']:.1f} mm" for lesion in before),
        " + ".join(f"{lesion['long_axis_mm']:.1f} mm" for lesion in now),
        "target" if group["is_target"] else "",
    )


def _response_row(found: dict[str, Any]) -> tuple[str, ...]:
    change = found["change_from_baseline"]
    return (
        found["criteria"].split(" (")[0],
        _mm(found["baseline_sum_mm"]),
        _mm(found["followup_sum_mm"]),
        "" if change is None else f"{change:+.1%}",
        found["overall"],
        " ".join(found["undecided"]),
    )


def _mm(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
