"""What the scene keeps beside the result it shows: the original, earlier reports, the changes."""

from collections.abc import Iterator
from typing import Any

import slicer

from HepatoCastLib import outputs
from HepatoCastLib.result import Result

PACK = "kept-"
ORIGINAL = "automatic"
NO_CHANGES: list[dict[str, Any]] = []


def keep_history(result: Result) -> Iterator[None]:
    """Keep what a later correction needs, and the automatic segments as their own node.

    An automatic result starts anew; a correction is added and leaves the original alone.
    """
    corrected = result.record.get("revision") is not None
    if not corrected:
        for node in _pack_nodes():
            slicer.mrmlScene.RemoveNode(node)
    number = len(_pack_nodes())
    node = outputs.make_node("vtkMRMLTextNode", f"{PACK}{number}", f"HepatoCast report {number}")
    node.SetText(result.pack)
    yield
    if not corrected:
        yield from keep_original(result)
    show_changes(result.record.get("revision"))


def keep_original(result: Result) -> Iterator[None]:
    """A hidden copy of the automatic segments that nobody edits."""
    shown = outputs.find_node("vtkMRMLSegmentationNode", "segmentation")
    original = outputs.make_node(
        "vtkMRMLSegmentationNode", ORIGINAL, "HepatoCast automatic (original)"
    )
    volume = shown.GetNodeReference(outputs.VOLUME_REFERENCE)
    yield from outputs.fill_segmentation(original, result, volume)
    original.GetDisplayNode().SetVisibility(False)


def show_changes(revision: dict[str, Any] | None) -> None:
    """The correction as a table: volumes, Dice, who drew it, what was said; then the risks."""
    changes = NO_CHANGES if revision is None else revision["changes"]
    risks = NO_CHANGES if revision is None else revision["risks"]
    rows = [_change_row(change) for change in changes] + [_risk_row(risk) for risk in risks]
    titles = ("What", "Automatic", "Corrected", "Dice", "Drawn", "Decision")
    columns = [
        (title, [row[index] for row in rows] or [""] * 0) for index, title in enumerate(titles)
    ]
    outputs.fill_table("changes", "HepatoCast correction", columns)


def kept_packs() -> list[str]:
    """Earlier results of the scene, the automatic one first."""
    return [node.GetText() for node in _pack_nodes()]


def volumes_behind(segmentation: Any) -> tuple[Any, ...]:
    """The volumes a result was made from, the one it lies on first."""
    count = segmentation.GetNumberOfNodeReferences(outputs.VOLUME_REFERENCE)
    found = (
        segmentation.GetNthNodeReference(outputs.VOLUME_REFERENCE, number)
        for number in range(count)
    )
    return tuple(volume for volume in found if volume is not None)


def _pack_nodes() -> list[Any]:
    nodes = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLTextNode")
        if (node.GetAttribute(outputs.ROLE) or "").startswith(PACK)
    ]
    return sorted(nodes, key=lambda node: int(node.GetAttribute(outputs.ROLE).removeprefix(PACK)))


def _change_row(change: dict[str, Any]) -> tuple[str, ...]:
    was, now = change["was"], change["now"]
    name = f"{was} (removed)" if not now else f"{now} (new)" if not was else now
    if was and now and was != now:
        name = f"{now} (was {was})"
    dice = "" if change["dice"] is None else f"{change['dice']:.3f}"
    volumes = (_ml(change["volume_before_ml"]), _ml(change["volume_ml"]))
    return (name, *volumes, dice, change["origin"].lower(), change["decision"])


def _risk_row(risk: dict[str, Any]) -> tuple[str, ...]:
    at = [f"{month:g} months {now:.0%}" for month, _, now in risk["survival"]]
    before = [f"{month:g} months {value:.0%}" for month, value, _ in risk["survival"]]
    return (
        risk["outcome"],
        ", ".join([risk["group_before"] or "no answer", *before]),
        ", ".join([risk["group"] or "no answer", *at]),
        "",
        "",
        "",
    )


def _ml(volume: float | None) -> str:
    return "" if volume is None else f"{volume:.1f} mL"
