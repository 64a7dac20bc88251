"""Segmentation packages around tiny graphs."""

import hashlib
from pathlib import Path

from engine.values.model import CodedSegment, InputCriteria, NetworkSpec, SegmentationPackage
from engine.values.provenance import ModelIdentity
from tests.phantoms.graphs import write_threshold_graph

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


DRAFT = """
format = 1
kind = "segmentation"
name = "threshold"
version = "1.0.0"
title = "Threshold network"
intended_use = "Tests of the engine."
population = "No patients."
limits = ["Marks whatever is bright."]

[license]
code = "Apache-2.0"
weights = "Apache-2.0"
data = ["none: no training"]

[input]
phases = ["portal venous", "unknown"]
maximum_slice_mm = 5.0

[[networks]]
role = "localizer"
file = "localizer.onnx"
spacing_mm = [4.0, 4.0, 4.0]
patch = [32, 32, 32]
divisor = [4, 4, 4]
window_hu = [-200, 300]
mean_hu = 0.0
scale_hu = 1.0
input_name = "image"
output_name = "logits"
channels = [0, 1]
margin_mm = 20.0

[[networks]]
role = "segmenter"
file = "segmenter.onnx"
spacing_mm = [2.0, 1.5, 1.5]
patch = [32, 32, 32]
divisor = [4, 4, 4]
overlap = 0.5
window_hu = [-200, 300]
mean_hu = 0.0
scale_hu = 1.0
input_name = "image"
output_name = "logits"
channels = [0, 1, 2]

[[segments]]
label = 1
name = "Liver"
category_code = "91723000"
category_meaning = "Anatomical Structure"
type_code = "10200004"
type_meaning = "Liver"
rgb = [221, 130, 101]

[[segments]]
label = 2
name = "Tumor"
category_code = "49755003"
category_meaning = "Morphologically Abnormal Structure"
type_code = "108369006"
type_meaning = "Neoplasm"
rgb = [255, 255, 0]

[postprocessing]
tumor_threshold = 0.5
minimum_lesion_ml = 0.1

[[evaluation]]
data = "made-up boxes"
cases = 2
measure = "Dice, liver"
value = 0.99
bounds = { lower = 0.98, upper = 1.0, interval = "range" }
"""
"""A complete manifest but for [files] and [reference]."""

LIVER_ABOVE_HU, TUMOR_ABOVE_HU = 60.5, 150.5


def write_threshold_package(root: Path) -> Path:
    """Write ``root/threshold/1.0.0`` around two threshold networks; give its folder."""
    folder = root / "threshold" / "1.0.0"
    folder.mkdir(parents=True)
    write_threshold_graph(folder / "localizer.onnx", (LIVER_ABOVE_HU,))
    write_threshold_graph(folder / "segmenter.onnx", (LIVER_ABOVE_HU, TUMOR_ABOVE_HU))
    lines = [
        f'"{path.name}" = "{hashlib.sha256(path.read_bytes()).hexdigest()}"'
        for path in sorted(folder.glob("*.onnx"))
    ]
    (folder / "manifest.toml").write_text(DRAFT + "\n[files]\n" + "\n".join(lines) + "\n", "utf-8")
    return folder
