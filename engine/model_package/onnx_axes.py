"""Turn the axes of an ONNX graph to the standard axes (extra [convert])."""

from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import compose, helper, numpy_helper

from engine.errors import ModelPackageError
from engine.model_package.foreign import INPUT_NAME, OUTPUT_NAME, AxisAdapter

LARGE = np.iinfo(np.int64).max
PREFIX = "foreign/"
"""Keeps the graph's own names apart from those that turning adds."""


def turn_axes(source: Path, target: Path, adapter: AxisAdapter) -> None:
    """Write a graph that takes and gives the standard axes.

    Args:
        source: ONNX graph of one input and one output, axes as ``adapter`` says.
        target: The graph to write; tensors are named "image" and "logits".

    Raises:
        ModelPackageError: Not a graph of one input and one output.
    """
    try:
        model = onnx.load(str(source))
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, DecodeError, ValueError, OSError) as error:
        raise ModelPackageError(f"{source.name} is not an ONNX graph") from error
    model = compose.add_prefix(model, PREFIX)
    graph = model.graph
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise ModelPackageError(f"{source.name}: one input and one output needed")
    before = _turning(INPUT_NAME, inputs[0].name, adapter, back=False)
    after = _turning(graph.output[0].name, OUTPUT_NAME, adapter, back=True)
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(_constants(adapter))
    channels = graph.output[0].type.tensor_type.shape.dim[1].dim_value or "channels"
    new_input = helper.make_tensor_value_info(
        INPUT_NAME, onnx.TensorProto.FLOAT, [1, 1, "slice", "row", "column"]
    )
    new_output = helper.make_tensor_value_info(
        OUTPUT_NAME, onnx.TensorProto.FLOAT, [1, channels, "slice", "row", "column"]
    )
    for values, new in ((graph.input, new_input), (graph.output, new_output)):
        kept = [value for value in values if value.name in stored]
        del values[:]
        values.extend([new, *kept])
    onnx.checker.check_model(model)
    onnx.save(model, str(target))


def _turning(source: str, target: str, adapter: AxisAdapter, *, back: bool) -> list[onnx.NodeProto]:
    """Flip and permute on the way in; permute back and flip back on the way out."""
    order = np.argsort(adapter.order) if back else adapter.order
    permute = {"perm": [0, 1, *(int(axis) + 2 for axis in order)]}
    flip = ["turn_starts", "turn_ends", "turn_axes", "turn_steps"]
    middle = f"{target}_turned" if back else f"{source}_turned"
    if not adapter.flipped:
        return [helper.make_node("Transpose", [source], [target], **permute)]
    if back:
        return [
            helper.make_node("Transpose", [source], [middle], **permute),
            helper.make_node("Slice", [middle, *flip], [target]),
        ]
    return [
        helper.make_node("Slice", [source, *flip], [middle]),
        helper.make_node("Transpose", [middle], [target], **permute),
    ]


def _constants(adapter: AxisAdapter) -> list[onnx.TensorProto]:
    """Starts, ends, axes and steps of a Slice that runs backwards."""
    count = len(adapter.flipped)
    if not count:
        return []
    values = {
        "turn_starts": [-1] * count,
        "turn_ends": [-LARGE] * count,
        "turn_axes": [axis + 2 for axis in adapter.flipped],
        "turn_steps": [-1] * count,
    }
    return [
        numpy_helper.from_array(np.array(value, np.int64), name) for name, value in values.items()
    ]
