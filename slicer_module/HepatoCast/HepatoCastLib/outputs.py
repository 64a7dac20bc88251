"""A result in the scene: segmentation, diameters, tables, risk curve."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import slicer
import vtk

from HepatoCastLib import exchange
from HepatoCastLib.errors import ExchangeError
from HepatoCastLib.grid import reorder
from HepatoCastLib.result import Box, Result
from HepatoCastLib.segments import LIVER_IDENTIFIER, Segment

ROLE = "HepatoCast.Role"
VOLUME_REFERENCE = "HepatoCast.Volume"
LESION_COLUMNS = (
    ("Lesion", ("number",)),
    ("Long axis [mm]", ("long_axis", "length_mm")),
    ("Short axis [mm]", ("short_axis", "length_mm")),
    ("Volume [mL]", ("volume_ml",)),
    ("To capsule [mm]", ("capsule_distance_mm",)),
    ("Mean [HU]", ("mean_hu",)),
    ("Confidence", ("confidence",)),
)
PATIENT_CURVES = ("survival", "lower", "upper")
GROUP_COLORS = ((0.30, 0.60, 0.30), (0.80, 0.60, 0.10), (0.75, 0.20, 0.20))
Column = tuple[str, list[Any]]


def show_result(result: Result, volumes: tuple[Any, ...]) -> Iterator[None]:
    """Put a result into the scene, in steps; nodes of an earlier result are reused.

    Args:
        result: The result.
        volumes: The volumes it was made from; the engine chose one to draw on.

    Raises:
        ExchangeError: The result lies on no volume's grid.
    """
    volume = volume_of(result, volumes)
    segmentation = make_node("vtkMRMLSegmentationNode", "segmentation", "HepatoCast segmentation")
    keep_record(result)
    yield from fill_segmentation(segmentation, result, volume)
    for other in volumes:
        if other is not volume:
            segmentation.AddNodeReferenceID(VOLUME_REFERENCE, other.GetID())
    for lesion in result.record["lesions"]:
        show_diameter(lesion, "long_axis", "longest")
        show_diameter(lesion, "short_axis", "perpendicular")
        yield
    _drop_diameters_above(len(result.record["lesions"]))
    show_tables(result)
    yield
    show_risk(result.record["predictions"])


def volume_of(result: Result, volumes: tuple[Any, ...]) -> Any:
    """The volume that the engine chose as the reference.

    Raises:
        ExchangeError: The result lies on the grid of none of them.
    """
    for volume in volumes[:-1]:
        try:
            reorder(result.labels, result.grid, exchange.grid_of(volume))
        except ExchangeError:
            continue
        return volume
    reorder(result.labels, result.grid, exchange.grid_of(volumes[-1]))
    return volumes[-1]


def fill_segmentation(
    segmentation: Any,
    result: Result,
    volume: Any,
) -> Iterator[None]:
    """Liver and lesions as overlapping segments on the volume's grid, one per step."""
    grid = exchange.grid_of(volume)
    labels = reorder(result.labels, result.grid, grid)
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segmentation.RemoveNodeReferenceIDs(VOLUME_REFERENCE)
    segmentation.SetNodeReferenceID(VOLUME_REFERENCE, volume.GetID())
    held = segmentation.GetSegmentation()
    held.SetSourceRepresentationName(exchange.BINARY_LABELMAP)
    wanted = {segment.identifier for segment, _ in result.segments}
    for identifier in [held.GetNthSegmentID(n) for n in range(held.GetNumberOfSegments())]:
        if identifier not in wanted:
            held.RemoveSegment(identifier)
    for segment, box in result.segments:
        there = reordered_box(box, result, grid)
        mask = cut_mask(labels[there], segment)
        corner = tuple(int(span.start) for span in there)
        exchange.put_segment(segmentation, segment, mask, corner, grid)
        yield
    segmentation.CreateDefaultDisplayNodes()
    display = segmentation.GetDisplayNode()
    display.SetSegmentOpacity2DFill(LIVER_IDENTIFIER, 0.15)


def cut_mask(labels: Any, segment: Segment) -> Any:
    """0 or 1: the liver is the whole organ, tumors included."""
    if segment.identifier == LIVER_IDENTIFIER:
        return (labels > 0).astype(np.uint8)
    return (labels == segment.number).astype(np.uint8)


def reordered_box(box: Box, result: Result, grid: Any) -> Box:
    """The same box, counted on the volume's grid."""
    first = np.array([span.start for span in box], np.float64)
    last = np.array([span.stop - 1 for span in box], np.float64)
    ends = np.rint(grid.to_index(result.grid.to_patient(np.array([first, last])))).astype(int)
    low, high = ends.min(axis=0), ends.max(axis=0) + 1
    if any(span.stop <= span.start for span in box):
        low, high = np.zeros(3, int), np.zeros(3, int)
    first_span, second_span, third_span = (
        slice(int(a), int(b)) for a, b in zip(low, high, strict=True)
    )
    return first_span, second_span, third_span


def show_diameter(lesion: dict[str, Any], axis: str, word: str) -> None:
    """One diameter as a ruler."""
    role = f"{axis}-{lesion['number']}"
    line = make_node("vtkMRMLMarkupsLineNode", role, f"{lesion['tracking_id']} {word}")
    ends = exchange.to_ras(np.array(lesion[axis]["ends_mm"]))
    slicer.util.updateMarkupsControlPointsFromArray(line, ends)
    line.CreateDefaultDisplayNodes()
    line.SetLocked(True)
    display = line.GetDisplayNode()
    display.SetPropertiesLabelVisibility(axis == "long_axis")  # or two labels cover each other
    display.SetTextScale(2.5)
    display.SetGlyphScale(1.5)
    display.SetVisibility3D(False)


def show_tables(result: Result) -> None:
    """Lesions, measurements, features and scores."""
    lesions = result.record["lesions"]
    columns: list[Column] = [
        (title, [_number(_dig(lesion, path)) for lesion in lesions])
        for title, path in LESION_COLUMNS
    ]
    fill_table("lesions", "HepatoCast lesions", columns)
    burden = {key: value for key, value in result.record["burden"].items() if value is not None}
    fill_table(
        "burden",
        "HepatoCast tumor burden",
        [("Measure", list(burden)), ("Value", [_plain(value) for value in burden.values()])],
    )
    rows = [
        (regions["region"], feature)
        for regions in result.record["features"]
        for feature in regions["features"]
    ]
    fill_table(
        "features",
        "HepatoCast features",
        [
            ("Region", [region for region, _ in rows]),
            ("Feature", [feature["name"] for _, feature in rows]),
            ("IBSI", [feature["ibsi_code"] for _, feature in rows]),
            ("Value", [_number(feature["value"]) for _, feature in rows]),
            ("Unit", [feature["unit"] for _, feature in rows]),
        ],
    )
    show_scores(result.record["scores"])


def show_scores(scores: list[dict[str, Any]]) -> None:
    """Published scores, the refused ones with what is missing."""
    fill_table(
        "scores",
        "HepatoCast scores",
        [
            ("Score", [score["name"] for score in scores]),
            ("Value", [_number(score["value"]) for score in scores]),
            ("Category", [score["category"] for score in scores]),
            ("Missing", [", ".join(score["missing"]) for score in scores]),
        ],
    )


def show_risk(predictions: list[dict[str, Any]]) -> None:
    """Survival with its interval over months, one chart per outcome.

    Beside it the mean curves of the development cohort's risk groups, where the package has them.
    """
    for number, prediction in enumerate(predictions):
        groups = prediction.get("group_curves", [])
        columns: list[Column] = [("Months", prediction["times_months"])]
        columns += [(name.capitalize(), prediction[name]) for name in PATIENT_CURVES]
        columns += [(f"{group['name']} risk group", group["survival"]) for group in groups]
        table = fill_table(f"risk-{number}", prediction["outcome"], columns)
        chart = make_node("vtkMRMLPlotChartNode", f"risk-chart-{number}", prediction["outcome"])
        chart.SetTitle(f"{prediction['outcome']}: {prediction['risk_group']} risk")
        chart.SetXAxisTitle("Months")
        chart.SetYAxisTitle(f"Event-free probability, {prediction['interval']}")
        chart.SetYAxisRangeAuto(False)
        chart.SetYAxisRange(0.0, 1.0)
        chart.RemoveAllPlotSeriesNodeIDs()
        for curve, (title, _) in enumerate(columns[1:]):
            series = make_node("vtkMRMLPlotSeriesNode", f"risk-{curve}-{number}", title)
            series.SetAndObserveTableNodeID(table.GetID())
            series.SetXColumnName("Months")
            series.SetYColumnName(title)
            style_series(series, curve)
            chart.AddAndObservePlotSeriesNodeID(series.GetID())


def style_series(series: Any, curve: int) -> None:
    """The patient's curve solid, its interval dashed, the groups thin and gray to red."""
    kind = slicer.vtkMRMLPlotSeriesNode
    series.SetPlotType(kind.PlotTypeScatter)
    series.SetMarkerStyle(kind.MarkerStyleNone)
    own = curve < len(PATIENT_CURVES)
    series.SetLineStyle(kind.LineStyleSolid if curve == 0 else kind.LineStyleDash)
    if not own:
        series.SetLineStyle(kind.LineStyleDot)
    series.SetLineWidth(3 if curve == 0 else 1)
    color = (0.12, 0.47, 0.71) if own else GROUP_COLORS[(curve - 3) % len(GROUP_COLORS)]
    series.SetColor(*color)


def fill_table(role: str, name: str, columns: list[Column]) -> Any:
    """A table node with typed columns; text needs vtkStringArray."""
    table = make_node("vtkMRMLTableNode", role, name)
    table.RemoveAllColumns()
    for title, values in columns:
        is_text = any(isinstance(value, str) for value in values)
        column = vtk.vtkStringArray() if is_text else vtk.vtkDoubleArray()
        column.SetName(title)
        for value in values:
            column.InsertNextValue(value)
        table.AddColumn(column)
    table.SetUseColumnTitleAsColumnHeader(True)
    return table


def find_node(class_name: str, role: str) -> Any:
    """The node a result was shown in; None before the first result, alive after a reload."""
    for node in slicer.util.getNodesByClass(class_name):
        if node.GetAttribute(ROLE) == role:
            return node
    return None


def shown_record() -> dict[str, Any] | None:
    """result.json of the result in the scene, or None."""
    text = find_node("vtkMRMLTextNode", "record")
    return None if text is None else dict(json.loads(text.GetText()))


def keep_record(result: Result) -> None:
    """Keep result.json itself in the scene, so that a saved scene says where it is from."""
    text = make_node("vtkMRMLTextNode", "record", "HepatoCast result")
    text.SetText(json.dumps(result.record))


def make_node(class_name: str, role: str, name: str) -> Any:
    """The node a result is shown in, made if it is not there."""
    node = find_node(class_name, role)
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass(class_name, name)
        node.SetAttribute(ROLE, role)
    node.SetName(name)
    return node


def _drop_diameters_above(count: int) -> None:
    """Remove the rulers of lesions that an earlier result had and this one has not."""
    for node in slicer.util.getNodesByClass("vtkMRMLMarkupsLineNode"):
        axis, _, number = (node.GetAttribute(ROLE) or "").rpartition("-")
        if axis in {"long_axis", "short_axis"} and int(number) > count:
            slicer.mrmlScene.RemoveNode(node)


def _dig(record: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        record = record[key]
    return record


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
