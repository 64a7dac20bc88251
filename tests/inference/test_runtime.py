"""A machine without onnxruntime is told what to install."""

import sys

import pytest

from engine.errors import DeviceError
from engine.inference.runtime import load_runtime


def test_without_onnxruntime_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DeviceError, match=r"hepatocast\[cpu\]"):
        load_runtime()


def test_the_installed_runtime_can_run_on_the_cpu() -> None:
    assert "CPUExecutionProvider" in load_runtime().get_available_providers()
