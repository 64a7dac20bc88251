"""Typed values change scores and risk at once (issue 7, clinical panel)."""

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
Spin = Callable[..., None]
DAY = "2024-03-01"


@pytest.fixture
def shown(panel: Any, volume: Any, spin: Spin, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The panel with a result; from here on the real engine answers."""
    panel.parameters.inputVolume = volume
    panel.ui.applyButton.click()
    spin(lambda: not panel.presenter.state.busy)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return panel


def score(panel: Any, name: str) -> tuple[float, str]:
    table = panel.ui.scoreTable.mrmlTableNode()
    for row in range(table.GetNumberOfRows()):
        if table.GetCellText(row, 0) == name:
            return float(table.GetCellText(row, 1)), table.GetCellText(row, 2)
    raise AssertionError(f"{name} is not in the table")


def test_values_before_a_result_wait(panel: Any, spin: Spin) -> None:
    panel.clinical.type_in("albumin", "4.1", DAY)
    spin(lambda: "Run or update first" in panel.ui.clinicalStatus.text)


def test_typed_values_are_answered_at_once_and_without_blocking(
    shown: Any, spin: Spin, stand: SimpleNamespace
) -> None:
    shown.clinical.type_in("albumin", "4.1", DAY)
    shown.clinical.type_in("bilirubin_total", "14", DAY, unit="umol/L")
    spin(lambda: "scores" in shown.ui.clinicalStatus.text)
    value, category = score(shown, "ALBI")
    assert value == pytest.approx(-2.73, abs=0.02)
    shown.clinical.type_in("albumin", "2.5", DAY)
    start, longest = time.monotonic(), 0.0
    while score(shown, "ALBI")[0] == value and time.monotonic() - start < 60:
        before = time.thread_time()
        stand.app.processEvents()
        longest = max(longest, time.thread_time() - before)
        time.sleep(0.002)
    assert score(shown, "ALBI")[0] == pytest.approx(-1.37, abs=0.02)
    assert score(shown, "ALBI")[1] != category
    assert longest <= 0.050


def test_a_value_that_cannot_be_used_is_told(shown: Any, spin: Spin) -> None:
    shown.clinical.type_in("albumin", "4.1", DAY, unit="furlongs")
    spin(lambda: "furlongs" in shown.ui.clinicalStatus.text)


def test_another_scene_starts_without_values(shown: Any, spin: Spin) -> None:
    import slicer

    shown.clinical.type_in("albumin", "4.1", DAY)
    slicer.mrmlScene.Clear(0)
    spin(lambda: shown.clinical.rows() == [])
