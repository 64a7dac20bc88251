"""Fixtures: one headless Slicer per process, the module's panel, a recorded engine."""

import functools
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
MODULE = ROOT / "slicer_module" / "HepatoCast"


@functools.cache
def start_stand() -> SimpleNamespace:
    """slicer, qt and the Python layer, ready for ``import HepatoCast``; once per process."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import slicer
    from tests.phantoms.slicer_stand import python_layer
    from tests.phantoms.slicer_stand.headless import HeadlessSlicer
    from tests.phantoms.slicer_stand.python_qt import install_qt

    application = install_qt()
    headless = HeadlessSlicer()
    record = python_layer.install()
    from tests.phantoms.slicer_stand.ui_file import install_loader, strict

    install_loader()
    slicer.util.startupEnvironment = lambda: dict(os.environ)
    slicer.util.confirmYesNoDisplay = lambda _text: record.answers.pop(0)
    if str(MODULE) not in sys.path:
        sys.path.insert(0, str(MODULE))
    return SimpleNamespace(app=application, headless=headless, record=record, strict=strict)


@pytest.fixture(scope="session")
def stand() -> SimpleNamespace:
    """The one stand of this process."""
    return start_stand()


@pytest.fixture
def scene(stand: SimpleNamespace) -> Iterator[Any]:
    """An empty scene, empty again afterwards."""
    import slicer

    slicer.mrmlScene.Clear(0)
    stand.record.installed.clear()
    stand.record.has_engine = True
    yield slicer.mrmlScene
    slicer.mrmlScene.Clear(0)


@pytest.fixture
def spin(stand: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run the event loop until something holds; an exception in a slot fails the test."""
    caught: list[str] = []

    def note(*error: Any) -> None:
        caught.append("".join(traceback.format_exception(*error)))

    monkeypatch.setattr(sys, "excepthook", note)

    def until(holds: Callable[[], bool], seconds: float = 90.0) -> None:
        end = time.monotonic() + seconds
        while not holds() and time.monotonic() < end and not caught:
            stand.app.processEvents()
            time.sleep(0.002)
        assert not caught, "".join(caught)
        assert holds()

    return until


@pytest.fixture(scope="session")
def recorded(stand: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result folder as the engine writes it, of the phantom with two lesions."""
    from tests.phantoms.recorded_result import write_recorded_result

    return write_recorded_result(tmp_path_factory.mktemp("recorded") / "result", "axial")


@pytest.fixture
def volume(scene: Any) -> Any:
    """The phantom's CT as a plain volume node."""
    from tests.phantoms.recorded_result import phantom_node

    return phantom_node("axial")


@pytest.fixture
def panel(
    stand: SimpleNamespace,
    scene: Any,
    recorded: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """The module's panel over the recorded engine; ``behavior`` says what that does."""
    import HepatoCast
    import qt
    from tests.phantoms.slicer_stand.ui_file import alive
    from tests.phantoms.slicer_stand.widgets import qMRMLWidget

    engine = ROOT / "tests" / "phantoms" / "recorded_engine"
    monkeypatch.setenv("PYTHONPATH", f"{engine}{os.pathsep}{ROOT}")
    monkeypatch.setenv("RECORDED_RESULT", str(recorded))
    monkeypatch.setenv("RECORDED_BEHAVIOR", "result")
    parent = qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    alive.append(parent)
    widget = HepatoCast.HepatoCastWidget(parent)
    widget.setup()
    widget.panel.ui.pythonEdit.currentPath = sys.executable
    yield widget.panel
    widget.cleanup()
