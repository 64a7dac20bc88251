"""The graphs of a package must have the tensors its manifest names."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.inference.networks import open_networks
from tests.phantoms.graphs import write_threshold_graph
from tests.phantoms.packages import segmentation_package, threshold_spec


def test_every_network_opens_under_its_role(tmp_path: Path) -> None:
    for name in ("localizer.onnx", "segmenter.onnx"):
        write_threshold_graph(tmp_path / name, (0.5,))
    package = segmentation_package(
        tmp_path, (threshold_spec("localizer"), threshold_spec("segmenter"))
    )
    assert set(open_networks(package, device="cpu")) == {"localizer", "segmenter"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_name": "ct"}, "one input 'ct' needed, found: image"),
        ({"output_name": "mask"}, "first output 'mask' needed, found 'logits'"),
        ({"channels": (0, 1, 2)}, r"float32 \(1, 3, slice"),
    ],
)
def test_a_graph_unlike_its_manifest_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    write_threshold_graph(tmp_path / "segmenter.onnx", (0.5,))
    spec = replace(threshold_spec("segmenter"), **change)
    with pytest.raises(ModelPackageError, match=message):
        open_networks(segmentation_package(tmp_path, (spec,)), device="cpu")
