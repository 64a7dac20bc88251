"""Nothing is installed without asking, nothing is built, nothing goes online behind our back."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def engine_of(scene: Any) -> Callable[[bool], Any]:
    from HepatoCastLib.installation import Engine

    return lambda answer: Engine(ask=lambda _question: answer)


def test_a_named_python_is_used_with_the_environment_from_before_slicer(
    engine_of: Callable[[bool], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    monkeypatch.setattr(slicer.util, "startupEnvironment", lambda: {"PATH": "/plain"})
    engine = engine_of(False)
    engine.python = sys.executable
    assert engine.locate() == (sys.executable, {"PATH": "/plain"})


def test_an_installed_engine_is_not_installed_again(
    engine_of: Callable[[bool], Any], stand: SimpleNamespace
) -> None:
    python, environment = engine_of(False).locate()
    assert python == sys.executable
    assert "HEPATOCAST_PIP" not in environment


def test_declining_the_install_installs_nothing(
    engine_of: Callable[[bool], Any], stand: SimpleNamespace
) -> None:
    from HepatoCastLib.errors import InstallationError

    stand.record.has_engine = False
    with pytest.raises(InstallationError, match="allow the install"):
        engine_of(False).locate()


def test_only_wheels_are_installed(
    engine_of: Callable[[bool], Any], stand: SimpleNamespace
) -> None:
    stand.record.has_engine = False
    _, environment = engine_of(True).locate()
    arguments = json.loads(environment["HEPATOCAST_PIP"])
    assert arguments[:3] == ["install", "--only-binary", ":all:"]
    assert arguments[-1] == "hepatocast[cpu,send]"
    assert stand.record.installed == []  # the panel's own process installs nothing


def test_a_wheelhouse_keeps_pip_offline(
    engine_of: Callable[[bool], Any], stand: SimpleNamespace, tmp_path: Path
) -> None:
    stand.record.has_engine = False
    engine = engine_of(True)
    engine.wheelhouse = str(tmp_path)
    arguments = json.loads(engine.locate()[1]["HEPATOCAST_PIP"])
    assert "--no-index" in arguments
    assert arguments[arguments.index("--find-links") + 1] == str(tmp_path)


def test_a_missing_wheelhouse_is_named(
    engine_of: Callable[[bool], Any], stand: SimpleNamespace, tmp_path: Path
) -> None:
    from HepatoCastLib.errors import InstallationError

    stand.record.has_engine = False
    engine = engine_of(True)
    engine.wheelhouse = str(tmp_path / "absent")
    with pytest.raises(InstallationError, match="No wheelhouse folder"):
        engine.locate()
