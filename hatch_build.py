"""Build hook: compile the radiomics core into the wheel with ziglang's compiler.

``pip install .`` needs no compiler on PATH: ``ziglang`` is a build requirement and brings one.
``HEPATOCAST_BUILD_TARGET`` names another machine as a Zig target triple (for example
``aarch64-linux-gnu.2.17``, ``x86_64-windows-gnu``, ``aarch64-macos.11.0``), so that one machine
builds the wheels of all.
"""

import importlib.util
import os
import sys
import sysconfig
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path("engine") / "radiomics"
WHEEL_PLATFORMS = {
    "x86_64-linux-gnu.2.17": "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "aarch64-linux-gnu.2.17": "manylinux_2_17_aarch64.manylinux2014_aarch64",
    "x86_64-windows-gnu": "win_amd64",
    "aarch64-windows-gnu": "win_arm64",
    "x86_64-macos.11.0": "macosx_11_0_x86_64",
    "aarch64-macos.11.0": "macosx_11_0_arm64",
}


class CompileCore(BuildHookInterface[Any]):
    """Compiles engine/radiomics/core/*.c for the wheel's platform."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile and add the libraries; an editable install gets them beside the sources."""
        if self.target_name != "wheel":
            return
        compilation = _load_compilation(Path(self.root))
        target = os.environ.get("HEPATOCAST_BUILD_TARGET") or compilation.host_target()
        if target not in WHEEL_PLATFORMS:
            known = ", ".join(WHEEL_PLATFORMS)
            raise ValueError(f"HEPATOCAST_BUILD_TARGET={target} is unknown; known: {known}")
        if version == "editable":
            compilation.compile_core(Path(self.root) / PACKAGE, target)
        else:
            folder = Path(tempfile.mkdtemp(prefix="hepatocast-core-"))
            for library in compilation.compile_core(folder, target):
                build_data["force_include"][str(library)] = str(PACKAGE / library.name)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_wheel_platform(target)}"


def _wheel_platform(target: str) -> str:
    """Platform tag; for this machine's own Linux or macOS the one its pip surely accepts."""
    if "HEPATOCAST_BUILD_TARGET" in os.environ or sys.platform == "win32":
        return WHEEL_PLATFORMS[target]
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def _load_compilation(root: Path) -> ModuleType:
    """Load the one module the build needs, without importing the package around it."""
    path = root / PACKAGE / "compilation.py"
    spec = importlib.util.spec_from_file_location("hepatocast_core_compilation", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is missing from the source tree")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
