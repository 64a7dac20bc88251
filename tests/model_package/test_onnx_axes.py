"""A graph on foreign axes is turned to the standard axes."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import ModelPackageError
from engine.inference.session import open_session
from engine.model_package.foreign import AxisAdapter
from engine.model_package.onnx_axes import turn_axes
from tests.phantoms.graphs import write_shift_graph


@pytest.mark.parametrize(
    "adapter",
    [
        AxisAdapter(),
        AxisAdapter(order=(2, 1, 0)),
        AxisAdapter(flipped=(1, 2), order=(2, 1, 0)),
        AxisAdapter(flipped=(0,), order=(1, 2, 0)),
    ],
)
def test_the_turned_graph_equals_turning_by_hand(tmp_path: Path, adapter: AxisAdapter) -> None:
    """The graph shifts along its first axis, so a wrong turn cannot hide."""
    source = write_shift_graph(tmp_path / "foreign.onnx")
    turn_axes(source, tmp_path / "turned.onnx", adapter)
    image = np.random.default_rng(4).normal(size=(1, 1, 4, 5, 6)).astype(np.float32)
    flipped = tuple(axis + 2 for axis in adapter.flipped)
    order = [0, 1, *(axis + 2 for axis in adapter.order)]
    foreign = np.ascontiguousarray(np.flip(image, flipped).transpose(order))
    logits = open_session(source, device="cpu").run(foreign)
    expected = np.flip(logits.transpose(np.argsort(order)), flipped)
    session = open_session(tmp_path / "turned.onnx", device="cpu")
    assert (session.inputs[0].name, session.outputs[0].name) == ("image", "logits")
    np.testing.assert_array_equal(session.run(image), expected)


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"\xff\xff no protobuf")
    with pytest.raises(ModelPackageError, match=r"x\.onnx is not an ONNX graph"):
        turn_axes(tmp_path / "x.onnx", tmp_path / "y.onnx", AxisAdapter())
