"""A result in the scene: masks, codes, rulers and curves, read back with Slicer's own means."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.phantoms.analysis_result import make_volume
from tests.phantoms.recorded_result import COARSE_MM, phantom_node, write_recorded_result


@pytest.fixture
def show(scene: Any, tmp_path: Path) -> Callable[[str, str], tuple[Any, Any]]:
    """Show the phantom's result of one orientation on a volume of another."""

    def on(result_orientation: str, volume_orientation: str) -> tuple[Any, Any]:
        from HepatoCastLib import outputs
        from HepatoCastLib.keeping import pack_result
        from HepatoCastLib.result import read_result
        from HepatoCastLib.unpacking import unpack_segmentation

        folder = write_recorded_result(tmp_path / "result", result_orientation)
        unpack_segmentation(folder)
        pack_result(folder)
        node = phantom_node(volume_orientation)
        list(outputs.show_result(read_result(folder), (node,)))
        return outputs.find_node("vtkMRMLSegmentationNode", "segmentation"), node

    return on


def test_edits_happen_on_the_grid_of_the_volume(
    show: Callable[[str, str], tuple[Any, Any]],
) -> None:
    """Without a reference geometry the Segment Editor would invent a grid of its own."""
    import slicer

    segmentation, node = show("axial", "axial")
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    assert segmentation.GetNodeReferenceID(role) == node.GetID()
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    assert segmentation.GetSegmentation().GetConversionParameter(name)


@pytest.mark.parametrize(
    ("result", "shown_on"),
    [
        ("axial", "axial"),
        ("axial", "reversed"),
        ("reversed", "axial"),
        ("oblique", "oblique"),
        ("sagittal", "sagittal"),
        ("coronal", "coronal reversed"),
    ],
)
def test_masks_come_back_voxel_for_voxel(
    show: Callable[[str, str], tuple[Any, Any]], result: str, shown_on: str
) -> None:
    from HepatoCastLib import exchange

    segmentation, node = show(result, shown_on)
    _, liver, labels = make_volume(shown_on, pixel_mm=COARSE_MM)
    assert np.array_equal(exchange.segment_mask(segmentation, "liver", node), liver)
    for number in (1, 2):
        mask = exchange.segment_mask(segmentation, f"lesion-{number}", node)
        assert np.array_equal(mask, labels == number)


def test_the_liver_keeps_its_tumors(show: Callable[[str, str], tuple[Any, Any]]) -> None:
    """Overlap rule: the organ includes its lesions, in the scene and in the editor."""
    import slicer
    from HepatoCastLib import exchange
    from HepatoCastLib.widget import editor_node

    segmentation, node = show("axial", "axial")
    liver = exchange.segment_mask(segmentation, "liver", node)
    lesion = exchange.segment_mask(segmentation, "lesion-1", node)
    assert lesion.any()
    assert (liver & lesion).sum() == lesion.sum()
    kind = slicer.vtkMRMLSegmentEditorNode
    assert editor_node().GetOverwriteMode() == kind.OverwriteNone


def test_slicer_reads_the_terminology_of_the_seg_object(
    show: Callable[[str, str], tuple[Any, Any]],
) -> None:
    import slicer
    import vtk

    segmentation, _ = show("axial", "axial")
    held = segmentation.GetSegmentation()
    logic = slicer.modules.terminologies.logic()
    read = {}
    for identifier in ("liver", "lesion-1"):
        text = vtk.reference("")
        held.GetSegment(identifier).GetTag("TerminologyEntry", text)
        entry = slicer.vtkSlicerTerminologyEntry()
        assert logic.DeserializeTerminologyEntry(str(text), entry)
        kind = entry.GetTypeObject()
        read[identifier] = (
            entry.GetCategoryObject().GetCodeValue(),
            kind.GetCodingSchemeDesignator(),
            kind.GetCodeValue(),
            entry.GetRegionObject().GetCodeValue(),
        )
    assert read["liver"][:3] == ("91723000", "SCT", "10200004")
    assert read["lesion-1"] == ("49755003", "SCT", "108369006", "10200004")


def test_rulers_lie_on_the_measured_diameters(
    show: Callable[[str, str], tuple[Any, Any]],
) -> None:
    from HepatoCastLib import exchange, outputs

    _, node = show("oblique", "oblique")
    lesion = outputs.shown_record()["lesions"][0]
    line = outputs.find_node("vtkMRMLMarkupsLineNode", "long_axis-1")
    assert line.GetLineLengthWorld() == pytest.approx(lesion["long_axis"]["length_mm"])
    ends = np.array([line.GetNthControlPointPositionWorld(n) for n in (0, 1)])
    labels = make_volume("oblique", pixel_mm=COARSE_MM)[2]
    there = np.rint(exchange.grid_of(node).to_index(ends * (-1, -1, 1))).astype(int)
    assert all(labels[tuple(index)] == 1 for index in there)


def test_the_curve_has_its_interval(show: Callable[[str, str], tuple[Any, Any]]) -> None:
    from HepatoCastLib import outputs

    show("axial", "axial")
    chart = outputs.find_node("vtkMRMLPlotChartNode", "risk-chart-0")
    table = outputs.find_node("vtkMRMLTableNode", "risk-0")
    groups = [table.GetColumnName(c) for c in range(4, table.GetNumberOfColumns())]
    assert groups == ["low risk group", "intermediate risk group", "high risk group"]
    assert chart.GetNumberOfPlotSeriesNodes() == 3 + len(groups)
    titles = [table.GetColumnName(n) for n in range(4)]
    assert titles == ["Months", "Survival", "Lower", "Upper"]
    rows = [[float(table.GetCellText(r, c)) for c in range(4)] for r in range(6)]
    assert all(lower <= middle <= upper for _, middle, lower, upper in rows)


def test_a_result_with_fewer_lesions_takes_the_old_ones_away(
    show: Callable[[str, str], tuple[Any, Any]], tmp_path: Path
) -> None:
    from HepatoCastLib import outputs
    from HepatoCastLib.result import read_result

    segmentation, node = show("axial", "axial")
    folder = tmp_path / "fewer"
    shutil.copytree(tmp_path / "result", folder)
    record = json.loads((folder / "result.json").read_text())
    record["lesions"] = record["lesions"][:1]
    (folder / "result.json").write_text(json.dumps(record))
    lines = json.loads((folder / "segments.json").read_text())[:2]
    (folder / "segments.json").write_text(json.dumps(lines))
    list(outputs.show_result(read_result(folder), (node,)))
    assert segmentation.GetSegmentation().GetSegment("lesion-2") is None
    assert outputs.find_node("vtkMRMLMarkupsLineNode", "long_axis-2") is None
    assert outputs.find_node("vtkMRMLMarkupsLineNode", "long_axis-1") is not None
