"""Which Python runs the engine, and how it gets there."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import slicer

from HepatoCastLib.errors import InstallationError

REQUIREMENT = "hepatocast[cpu,send]"
PIP_VARIABLE = "HEPATOCAST_PIP"

Ask = Callable[[str], bool]


class Engine:
    """The Python the user named, or Slicer's own once hepatocast is installed in it."""

    def __init__(self, ask: Ask) -> None:
        self.python = ""
        self.wheelhouse = ""
        self._ask = ask

    def locate(self) -> tuple[str, dict[str, str]]:
        """The Python to start and its environment, which says what the job installs first.

        Raises:
            InstallationError: There is no such Python, or the user declined the install.
        """
        place = self.installed()
        if place is not None:
            return place
        environment = dict(os.environ)
        environment[PIP_VARIABLE] = json.dumps(self._agreed_install())
        return own_python(), environment

    def installed(self) -> tuple[str, dict[str, str]] | None:
        """The same, but None where something would have to be installed; asks nobody.

        Raises:
            InstallationError: There is no such Python.
        """
        if self.python:
            if not Path(self.python).is_file():
                raise InstallationError(
                    f"No Python at {self.python}; name the interpreter of a virtual "
                    "environment that has hepatocast"
                )
            return self.python, dict(slicer.util.startupEnvironment())
        if not slicer.packaging.pip_check(REQUIREMENT):
            return None
        return own_python(), dict(os.environ)

    def _agreed_install(self) -> list[str]:
        """Arguments of pip, after asking; the job installs, so that the panel never waits."""
        arguments = pip_arguments(REQUIREMENT, self.wheelhouse)
        if not self._ask(f"Install {REQUIREMENT} into Slicer's Python?"):
            raise InstallationError(
                "The engine is not installed; allow the install or name a Python below Engine"
            )
        return arguments


def pip_arguments(requirement: str, wheelhouse: str) -> list[str]:
    """Arguments of pip: never build, never go online when a wheelhouse is named."""
    arguments = ["install", "--only-binary", ":all:", "--disable-pip-version-check", "--no-input"]
    if wheelhouse:
        if not Path(wheelhouse).is_dir():
            raise InstallationError(f"No wheelhouse folder at {wheelhouse}")
        arguments += ["--no-index", "--find-links", wheelhouse]
    return [*arguments, requirement]


def own_python() -> str:
    """Slicer's Python program; inside Slicer ``sys.executable`` is the application itself."""
    launcher = Path(sys.executable).with_name(
        "PythonSlicer.exe" if os.name == "nt" else "PythonSlicer"
    )
    return str(launcher) if launcher.is_file() else sys.executable
