"""Segmentation packages around tiny graphs."""

from pathlib import Path

from engine.values.model import CodedSegment, InputCriteria, NetworkSpec, SegmentationPackage
from engine.values.provenance import ModelIdentity

SEGMENTS = (
    CodedSegment(
        label=1,
        name="Liver",
        category_code="91723000",
        category_meaning="Anatomical Structure",
        type_code="10200004",
        type_meaning="Liver",
        rgb=(221, 130, 101),
    ),
    CodedSegment(
        label=2,
        name="Tumor",
        category_code="49755003",
        category_meaning="Morphologically Abnormal Structure",
        type_code="108369006",
        type_meaning="Neoplasm",
        rgb=(255, 255, 0),
    ),
)


def threshold_spec(role: str, **changes: object) -> NetworkSpec:
    """A spec for ``write_threshold_graph``: the input is HU, unscaled."""
    values: dict[str, object] = {
        "role": role,
        "file": f"{role}.onnx",
        "sha256": "",
        "spacing_mm": (4.0, 4.0, 4.0) if role == "localizer" else (2.0, 1.5, 1.5),
        "patch": (32, 32, 32),
        "divisor": (4, 4, 4),
        "overlap": 0.5,
        "window_hu": (-200.0, 300.0),
        "mean_hu": 0.0,
        "scale_hu": 1.0,
        "input_name": "image",
        "output_name": "logits",
        "channels": (0, 1),
        "margin_mm": 20.0,
    }
    return NetworkSpec(**{**values, **changes})  # type: ignore[arg-type]


def segmentation_package(
    folder: Path, networks: tuple[NetworkSpec, ...], **changes: object
) -> SegmentationPackage:
    """An unverified package value over graphs that a test wrote into ``folder``."""
    identity = ModelIdentity(
        name="threshold", version="1.0.0", sha256="0" * 64, intended_use="Tests"
    )
    values: dict[str, object] = {
        "identity": identity,
        "folder": folder,
        "networks": networks,
        "segments": SEGMENTS,
        "criteria": InputCriteria(),
    }
    return SegmentationPackage(**{**values, **changes})  # type: ignore[arg-type]
