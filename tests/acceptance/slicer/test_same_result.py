"""Slicer's way and the command's way give the same result (issue 7, must show 5).

The real engine runs both times, with a tiny threshold package instead of the trained network.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.phantoms.packages import write_threshold_package
from tests.phantoms.recorded_result import write_phantom_series

ROOT = Path(__file__).parents[3]


def test_features_are_equal_to_the_last_bit(
    panel: Any,
    volume: Any,
    stand: SimpleNamespace,
    spin: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    paths = write_phantom_series(tmp_path / "study", lesion_hu=220)
    model = str(write_threshold_package(tmp_path / "models"))
    command = [sys.executable, "-m", "engine.cli", "analyze", str(tmp_path / "study")]
    options = ["--out", str(tmp_path / "by command"), "--device", "cpu", "--model", model]
    subprocess.run([*command, *options], cwd=ROOT, env=dict(os.environ), check=True, timeout=300)

    stand.record.files = paths
    volume.SetAttribute("DICOM.instanceUIDs", " ".join(paths))
    panel.parameters.inputVolume = volume
    panel.parameters.forceCpu = True
    panel.parameters.model = model
    panel.ui.applyButton.click()
    spin(lambda: not panel.presenter.state.busy, seconds=300)
    assert "Research use only" in panel.ui.statusLabel.text
    by_panel = Path(panel.presenter.state.report).parent
    by_command = tmp_path / "by command"
    features = (by_command / "features.json").read_bytes()
    assert json.loads(features)["features"]
    assert (by_panel / "features.json").read_bytes() == features
    job = [json.loads((f / "result.json").read_text())["job_id"] for f in (by_panel, by_command)]
    assert job[0] == job[1]
