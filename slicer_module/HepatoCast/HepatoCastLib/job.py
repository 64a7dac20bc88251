"""The program the engine's Python runs for the panel: one job file in, JSON lines out.

It starts the same ``hepatocast analyze`` as a command line would, in this process, and then
unpacks the SEG object so that Slicer's own process has nothing to decode. Closed standard
input means cancel. Nothing here knows Slicer or Qt.
"""

import importlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

EXIT_CANCELED = 130
STANDARD_INPUT = 0
PIP_VARIABLE = "HEPATOCAST_PIP"
helpers: list["subprocess.Popen[bytes]"] = []


def main(job_file: str) -> int:
    """Run the job described in a JSON file.

    It holds "arguments" and "out", for a plain volume "voxels", for a correction "drawing" and
    the "earlier" results that it supersedes. A job that is "plain" makes no result to unpack.
    """
    cancel_when_input_closes()
    tell("started", pid=os.getpid())
    if PIP_VARIABLE in os.environ and (failed := install(json.loads(os.environ[PIP_VARIABLE]))):
        return failed
    job: dict[str, Any] = json.loads(Path(job_file).read_text(encoding="utf-8"))
    if "voxels" in job:
        from HepatoCastLib.series_writing import write_series

        write_series(job["voxels"])
    if "drawing" in job:
        prepare_correction(job)
    code = run_engine(job["arguments"])
    if code == 0 and job.get("plain"):
        tell("ready", path=job["out"])
    elif code == 0:
        from HepatoCastLib.keeping import pack_result
        from HepatoCastLib.previews import write_previews
        from HepatoCastLib.unpacking import unpack_segmentation

        tell("progress", stage="unpacking", fraction=0.0, text="")
        unpack_segmentation(Path(job["out"]))
        pack_result(Path(job["out"]))
        write_previews(Path(job["out"]))
        tell("ready", path=job["out"])
    return code


def install(arguments: list[str]) -> int:
    """Run pip in a process of its own, its lines to the log; 0 when all is installed."""
    tell("progress", stage="installing", fraction=0.0, text=arguments[-1])
    command = [sys.executable, "-m", "pip", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own interpreter, arguments of our own
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as pip:
        helpers.append(pip)
        for line in pip.stdout:
            sys.stdout.write(line.decode(errors="replace"))
            sys.stdout.flush()
    helpers.remove(pip)
    if pip.returncode:
        tell("error", kind="InstallationError", message="pip could not install; see the log")
    importlib.invalidate_caches()
    return pip.returncode


def prepare_correction(job: dict[str, Any]) -> None:
    """Write the edited segments and the earlier results as the files the engine reads."""
    from HepatoCastLib.drawing_writing import write_drawing
    from HepatoCastLib.keeping import unpack_result

    write_drawing(job["drawing"])
    for earlier in job["earlier"]:
        unpack_result(Path(earlier["pack"]), Path(earlier["folder"]))


def run_engine(arguments: list[str]) -> int:
    """Run one engine command; its own exit codes come back."""
    from engine.cli.main import main as hepatocast

    sys.argv = ["hepatocast", *arguments]
    return hepatocast(arguments)


def tell(event: str, **fields: Any) -> None:
    """One JSON object on one line, at once."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def cancel_when_input_closes() -> None:
    """End this process when the panel closes our standard input."""

    def watch() -> None:
        while os.read(STANDARD_INPUT, 4096):
            pass
        for helper in helpers:
            helper.kill()
        os._exit(EXIT_CANCELED)

    threading.Thread(target=watch, name="cancel-watch", daemon=True).start()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main(sys.argv[1]))
