"""Inner tensors as outputs, without changing the rest."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from engine.errors import ModelPackageError
from engine.inference.onnx_tap import find_bottleneck, with_output
from engine.inference.session import open_session
from engine.model_package.loading import embedded_models, load_package


def segmenter() -> Path:
    package = load_package("liver_tumor_ct", search_paths=[embedded_models()])
    spec = next(spec for spec in package.networks if spec.role == "segmenter")
    return package.folder / spec.file


def test_the_embedded_segmenter_shows_its_bottleneck_and_keeps_its_output() -> None:
    """Bit for bit the same logits with and without the tap."""
    path = segmenter()
    layer = find_bottleneck(path.read_bytes())
    image = np.random.default_rng(0).normal(0, 1, (1, 1, 16, 32, 32)).astype(np.float32)
    plain = open_session(path, device="cpu", threads=1)
    tapped = open_session(path, device="cpu", threads=1, tap=layer)
    assert [o.name for o in tapped.outputs] == [*(o.name for o in plain.outputs), layer]
    assert np.array_equal(tapped.run(image), plain.run(image))
    inner = tapped.run_named({plain.inputs[0].name: image}, (layer,))[layer]
    assert inner.shape[2:] == (2, 4, 4)
    assert inner.shape[1] >= 64


def test_the_joined_bytes_are_what_onnx_would_write() -> None:
    """The onnx package reads the same graph with one output more."""
    data = segmenter().read_bytes()
    plain = onnx.load_model_from_string(data)
    joined = onnx.load_model_from_string(with_output(data, "inner"))
    assert [o.name for o in joined.graph.output] == [
        *(o.name for o in plain.graph.output),
        "inner",
    ]
    joined.graph.output.pop()
    assert joined == plain


def test_a_layer_that_does_not_exist_is_the_packages_fault() -> None:
    with pytest.raises(ModelPackageError, match="cannot be opened"):
        open_session(segmenter(), device="cpu", tap="no such tensor")


@pytest.mark.parametrize("data", [b"", b"not a model at all", b"\x3a\xff\xff\xff\x7f"])
def test_bytes_without_a_bottleneck_are_refused(data: bytes) -> None:
    with pytest.raises(ModelPackageError):
        find_bottleneck(data)
