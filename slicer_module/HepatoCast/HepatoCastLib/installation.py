"""Which Python runs the engine, and how it gets there."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import slicer

from HepatoCastLib.errors import InstallationError

REQUIREMENT = "hepatocast[cpu]"

Ask = Callable[[str], bool]


class Engine:
    """The Python the user named, or Slicer's own once hepatocast is installed in it."""

    def __init__(self, ask: Ask) -> None:
        self.python = ""
        self.wheelhouse = ""
        self._ask = ask

    def locate(self) -> tuple[str, dict[str, str]]:
        """The Python to start and its environment.

        Raises:
            InstallationError: There is no such Python, or the user declined the install.
        """
        if self.python:
            if not Path(self.python).is_file():
                raise InstallationError(
                    f"No Python at {self.python}; name the interpreter of a virtual "
                    "environment that has hepatocast"
                )
            return self.python, dict(slicer.util.startupEnvironment())
        if not slicer.packaging.pip_check(REQUIREMENT):
            self._install()
        return own_python(), dict(os.environ)

    def _install(self) -> None:
        """Wheels only, from the wheelhouse if one is named, and only after asking."""
        if not self._ask(f"Install {REQUIREMENT} into Slicer's Python?"):
            raise InstallationError(
                "The engine is not installed; allow the install or name a Python below Engine"
            )
        slicer.packaging.pip_install(pip_arguments(REQUIREMENT, self.wheelhouse))


def pip_arguments(requirement: str, wheelhouse: str) -> str:
    """Arguments of pip: never build, never go online when a wheelhouse is named."""
    if not wheelhouse:
        return f"--only-binary :all: {requirement}"
    if not Path(wheelhouse).is_dir():
        raise InstallationError(f"No wheelhouse folder at {wheelhouse}")
    return f'--only-binary :all: --no-index --find-links "{wheelhouse}" {requirement}'


def own_python() -> str:
    """Slicer's Python program; inside Slicer ``sys.executable`` is the application itself."""
    launcher = Path(sys.executable).with_name(
        "PythonSlicer.exe" if os.name == "nt" else "PythonSlicer"
    )
    return str(launcher) if launcher.is_file() else sys.executable
