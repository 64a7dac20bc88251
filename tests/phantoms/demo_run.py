"""One run of `hepatocast demo`, which several lines of the issues are judged by."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Demo:
    """One finished run of the command."""

    code: int
    printed: str
    result: Path


def run_demo(folder: Path) -> Demo:
    """Run the command as a user does; its output lies below the folder."""
    out = folder / "demo-output"
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", "demo", "--out", str(out)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Demo(code=done.returncode, printed=done.stdout + done.stderr, result=out / "result")
