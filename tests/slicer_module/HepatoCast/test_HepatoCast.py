"""The module as Slicer loads it: one panel over real MRML, an engine that only replays."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.phantoms.recorded_result import phantom_node, write_phantom_series

Spin = Callable[..., None]
STEM = Path(__file__).parents[3] / "slicer_module" / "HepatoCast"


def finished(panel: Any) -> bool:
    return not panel.presenter.state.busy


def run_once(panel: Any, spin: Spin) -> str:
    panel.ui.applyButton.click()
    assert panel.presenter.state.busy
    spin(lambda: finished(panel))
    return str(panel.ui.statusLabel.text)


def test_the_ui_file_holds_no_unknown_name(panel: Any, stand: SimpleNamespace) -> None:
    assert stand.strict == []


def test_the_module_file_stays_a_thin_shell() -> None:
    assert len((STEM / "HepatoCast.py").read_text().splitlines()) <= 90


def test_apply_waits_for_a_volume(panel: Any) -> None:
    assert not panel.ui.applyButton.enabled
    assert "Load" in panel.ui.applyButton.toolTip
    node = phantom_node("axial")
    panel.ui.inputSelector.setCurrentNode(node)
    assert panel.parameters.inputVolume is node
    assert panel.ui.applyButton.enabled


def test_one_click_fills_the_scene(panel: Any, volume: Any, spin: Spin) -> None:
    panel.parameters.inputVolume = volume
    assert run_once(panel, spin).startswith("2 lesions, liver ")
    segmentation = panel.parameters.segmentation
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 3
    assert panel.ui.segmentEditor.segmentationNode() is segmentation
    assert panel.ui.segmentEditor.sourceVolumeNode() is volume
    assert panel.ui.lesionTable.mrmlTableNode().GetNumberOfRows() == 2
    assert panel.ui.featureTable.mrmlTableNode().GetNumberOfRows() == 10
    assert "CPUExecutionProvider" in panel.ui.deviceLabel.text
    assert "Research on segmentation" in panel.ui.limitsLabel.text
    assert panel.ui.reportButton.enabled


def test_progress_only_grows_and_names_its_stage(panel: Any, volume: Any, spin: Spin) -> None:
    panel.parameters.inputVolume = volume
    seen: list[tuple[int, str]] = []
    panel.presenter.changed.connect(lambda state: seen.append((state.percent, state.status)))
    run_once(panel, spin)
    percents = [percent for percent, _ in seen]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert any(status.startswith("Segmentation · 50%") for _, status in seen)


def test_cancel_ends_the_engine_and_leaves_the_scene(
    panel: Any, volume: Any, spin: Spin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDED_BEHAVIOR", "hang")
    panel.parameters.inputVolume = volume
    panel.ui.applyButton.click()
    spin(lambda: "window 3 of 6" in panel.ui.statusLabel.text)
    pid = panel.run._engine_pid
    panel.ui.cancelButton.click()
    spin(lambda: finished(panel))
    assert panel.ui.statusLabel.text == "Canceled"
    assert not is_alive(pid)
    assert volume.GetScene() is not None
    assert panel.parameters.segmentation is None


def test_an_engine_that_ignores_its_closed_input_is_killed(
    panel: Any, volume: Any, spin: Spin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDED_BEHAVIOR", "stubborn")
    panel.run._grace_ms = 100
    panel.parameters.inputVolume = volume
    panel.ui.applyButton.click()
    spin(lambda: "window 3 of 6" in panel.ui.statusLabel.text)
    pid = panel.run._engine_pid
    panel.ui.cancelButton.click()
    spin(lambda: finished(panel))
    assert panel.ui.statusLabel.text == "Canceled"
    assert not is_alive(pid)


@pytest.mark.parametrize(
    ("behavior", "status"),
    [
        ("crash", "Failed: "),
        ("defect", "Failed: RuntimeError: model file is broken"),
        ("not-analyzed", "Failed: Not analyzed: No eligible series in study 1.2.3"),
    ],
)
def test_a_failed_run_says_why(
    panel: Any,
    volume: Any,
    spin: Spin,
    monkeypatch: pytest.MonkeyPatch,
    behavior: str,
    status: str,
) -> None:
    monkeypatch.setenv("RECORDED_BEHAVIOR", behavior)
    panel.parameters.inputVolume = volume
    assert run_once(panel, spin).startswith(status)
    assert panel.ui.applyButton.enabled
    assert panel.parameters.segmentation is None


def test_noise_of_libraries_goes_to_the_log(
    panel: Any, volume: Any, spin: Spin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDED_BEHAVIOR", "chatter")
    panel.parameters.inputVolume = volume
    assert run_once(panel, spin).startswith("2 lesions")
    log = panel.ui.logView.plainText
    assert "noise from a library" in log
    assert "a library says something" in log


def test_a_python_that_does_not_exist_is_named(panel: Any, volume: Any, spin: Spin) -> None:
    panel.ui.pythonEdit.currentPath = "/nowhere/python"
    panel.parameters.inputVolume = volume
    assert "No Python at /nowhere/python" in run_once(panel, spin)


def test_closing_the_scene_during_a_run_ends_the_run(
    panel: Any, volume: Any, spin: Spin, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    monkeypatch.setenv("RECORDED_BEHAVIOR", "hang")
    panel.parameters.inputVolume = volume
    panel.ui.applyButton.click()
    spin(lambda: "window 3 of 6" in panel.ui.statusLabel.text)
    slicer.mrmlScene.Clear(0)
    spin(lambda: finished(panel))
    assert panel.parameters.inputVolume is None
    assert not panel.ui.applyButton.enabled


def test_a_second_run_reuses_the_nodes(panel: Any, volume: Any, spin: Spin) -> None:
    import slicer

    panel.parameters.inputVolume = volume
    run_once(panel, spin)
    first = panel.parameters.segmentation
    count = slicer.mrmlScene.GetNumberOfNodes()
    run_once(panel, spin)
    assert panel.parameters.segmentation is first
    assert slicer.mrmlScene.GetNumberOfNodes() == count


def test_everything_survives_save_and_reload(
    panel: Any, volume: Any, spin: Spin, tmp_path: Path
) -> None:
    import slicer
    from HepatoCastLib import exchange, outputs

    panel.parameters.inputVolume = volume
    panel.parameters.forceCpu = True
    run_once(panel, spin)
    before = exchange.segment_mask(panel.parameters.segmentation, "lesion-2", volume)
    bundle = str(tmp_path / "scene.mrb")
    assert slicer.mrmlScene.WriteToMRB(bundle)
    slicer.mrmlScene.Clear(0)
    assert slicer.mrmlScene.ReadFromMRB(bundle)
    panel.close_scene()
    panel.open_scene()
    again = panel.parameters
    assert again.forceCpu
    assert panel.ui.cpuCheckBox.checked
    after = exchange.segment_mask(again.segmentation, "lesion-2", again.inputVolume)
    assert before.any()
    assert np.array_equal(before, after)
    assert outputs.shown_record()["lesions"][1]["number"] == 2
    assert panel.ui.lesionTable.mrmlTableNode().GetNumberOfRows() == 2
    segment = again.segmentation.GetSegmentation().GetSegment("lesion-1")
    assert "SCT^108369006^Neoplasm" in tag_of(segment, "TerminologyEntry")
    assert tag_of(segment, "TrackingUID") == "2.25.50001"
    chart = outputs.find_node("vtkMRMLPlotChartNode", "risk-chart-0")
    assert chart.GetNumberOfPlotSeriesNodes() == 6


def tag_of(segment: Any, name: str) -> str:
    import vtk

    text = vtk.reference("")
    segment.GetTag(name, text)
    return str(text)


def test_a_dicom_volume_is_handed_over_as_its_own_files(
    panel: Any,
    volume: Any,
    stand: SimpleNamespace,
    spin: Spin,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = write_phantom_series(tmp_path / "dicom")
    stand.record.files = paths
    monkeypatch.setenv("RECORDED_COPY", str(tmp_path / "handed over"))
    volume.SetAttribute("DICOM.instanceUIDs", " ".join(paths))
    panel.parameters.inputVolume = volume
    panel.parameters.forceCpu = True
    assert run_once(panel, spin).startswith("2 lesions")
    handed = sorted((tmp_path / "handed over").iterdir())
    assert [f.read_bytes() for f in handed] == [Path(p).read_bytes() for p in paths.values()]
    asked = json.loads((Path(panel.presenter._folder.name) / "asked.json").read_text())
    assert asked["arguments"][4:] == [
        "--json-lines",
        "--device",
        "cpu",
        "--model",
        "liver_tumor_ct",
    ]


def test_an_image_gone_from_the_database_is_named(
    panel: Any, volume: Any, stand: SimpleNamespace, spin: Spin
) -> None:
    stand.record.files = {}
    volume.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    panel.parameters.inputVolume = volume
    assert "Image 1.2.3 is no longer in the DICOM database" in run_once(panel, spin)


def test_the_models_are_shown_before_the_run(panel: Any, volume: Any, spin: Spin) -> None:
    spin(lambda: panel.ui.modelSelector.enabled)
    selector = panel.ui.modelSelector
    assert [selector.itemText(n) for n in range(2)] == [
        "liver_tumor_ct 1.0.0",
        "liver_tumor_ct 1.1.0",
    ]
    assert selector.currentIndex == 1, "a bare name means the version the engine would take"
    assert panel.parameters.model == "liver_tumor_ct", "listing chooses nothing"
    assert panel.ui.modelText.text == (
        "Research with 1.1.0\nLimit: Not for children\n"
        "Unusable: torn 0.1.0: manifest.toml is not TOML"
    )


def test_a_chosen_model_is_the_one_that_runs(panel: Any, volume: Any, spin: Spin) -> None:
    spin(lambda: panel.ui.modelSelector.enabled)
    panel.ui.modelSelector.setCurrentIndex(0)
    assert panel.parameters.model == "liver_tumor_ct@1.0.0"
    assert "Research with 1.0.0" in panel.ui.modelText.text
    panel.parameters.inputVolume = volume
    run_once(panel, spin)
    asked = json.loads((Path(panel.presenter._folder.name) / "asked.json").read_text())
    assert asked["arguments"][-1] == "liver_tumor_ct@1.0.0"


def test_a_typed_model_that_is_not_there_is_told(panel: Any, spin: Spin) -> None:
    spin(lambda: panel.ui.modelSelector.enabled)
    panel.ui.modelEdit.text = "other"
    assert panel.ui.modelSelector.currentIndex == -1
    assert (
        panel.ui.modelText.text
        == "'other' is not listed; its use and limits are known after the run"
    )


def test_the_key_images_are_turned_in_the_panel(panel: Any, volume: Any, spin: Spin) -> None:
    import slicer

    ui = panel.ui
    assert ui.pageLabel.text == "No key images"
    panel.parameters.inputVolume = volume
    run_once(panel, spin)
    folder = Path(panel.presenter.state.report).parent
    count = len(list(folder.glob("key-image-*.dcm")))
    assert count >= 2
    assert ui.pageLabel.text == f"Key image 1 of {count}"
    assert not ui.previousButton.enabled
    first = ui.previewLabel.pixmap.toImage()
    assert first.width() == 400
    ui.nextButton.click()
    assert ui.pageLabel.text == f"Key image 2 of {count}"
    assert ui.previewLabel.pixmap.toImage() != first
    ui.previousButton.click()
    assert ui.previewLabel.pixmap.toImage() == first
    slicer.mrmlScene.Clear(0)
    assert ui.pageLabel.text == "No key images", "a closed scene shows nobody's picture"
    assert ui.previewLabel.pixmap.isNull()


def is_alive(pid: int) -> bool:
    """Whether a process still runs (a zombie does not)."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        time.sleep(0.05)
    return True
