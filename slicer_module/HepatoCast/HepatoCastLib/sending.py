"""From a result folder and a destination to a job file, and what became of each object."""

import json
from pathlib import Path
from typing import Any

from HepatoCastLib import outputs
from HepatoCastLib.errors import PanelError

COLUMNS = (
    ("Object", "kind"),
    ("File", "file"),
    ("Destination", "destination"),
    ("Answer", "answer"),
)


def stage_sending(result: Path, destination: str, folder: Path) -> Path:
    """Write the job file of ``hepatocast send``.

    Raises:
        PanelError: There is nothing to send, or nowhere to send it.
    """
    if not destination:
        raise PanelError("Name a destination below Send")
    if not (result / "result.json").is_file():
        raise PanelError("The result's files are gone with the session; update or run again")
    job = {
        "arguments": ["send", str(result), "--to", destination, "--json-lines"],
        "out": str(result),
        "plain": True,
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    return path


def show_sent(lines: list[dict[str, Any]]) -> None:
    """Each object's fate as a table that the scene keeps."""
    columns = [(title, [str(line[key]) for line in lines]) for title, key in COLUMNS]
    words = ["accepted" if line["accepted"] else "NOT ACCEPTED" for line in lines]
    outputs.fill_table("sent", "HepatoCast sent", [*columns, ("Result", words)])
