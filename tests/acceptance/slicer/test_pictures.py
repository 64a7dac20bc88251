"""Pictures of the panel for the README, made by a test (issue 7, must show 4).

HEPATOCAST_PICTURES=slicer_module/screenshots pytest tests/acceptance/slicer/test_pictures.py
writes them where the README and the ExtensionsIndex entry find them.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image


def test_the_panel_with_a_result_can_be_shown(
    panel: Any, volume: Any, spin: Callable[..., None], tmp_path: Path
) -> None:
    panel.parameters.inputVolume = volume
    panel.ui.applyButton.click()
    spin(lambda: not panel.presenter.state.busy)
    panel.ui.pythonEdit.currentPath = ""  # a place on the tester's machine
    window = panel.ui.applyButton.window()
    window.resize(480, 1400)
    window.show()
    spin(window.isVisible)
    path = tmp_path / "panel.png"
    assert window.grab().save(str(path))
    with Image.open(path) as picture:
        assert picture.size[0] == 480
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 16
    if folder := os.environ.get("HEPATOCAST_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
