"""Tiny ONNX graphs with known answers, built in memory."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

OPSET = 17
IR_VERSION = 9
SHAPE_IN = [1, 1, "s", "r", "c"]


def write_threshold_graph(
    path: Path, thresholds: tuple[float, ...], *, steepness: float = 1.0, stride: int = 1
) -> Path:
    """Write a network that classifies each voxel by its own input value alone.

    Channel k has the logit ``steepness * sum(x - t for t in thresholds[:k])``, so for
    ascending thresholds the largest channel is the number of thresholds below x, exactly.
    A stride above 1 makes a graph whose output is smaller than its input.
    No neighborhood: what such a network marks shows the geometry of all that surrounds it.
    """
    count = len(thresholds) + 1
    weight = [steepness * k for k in range(count)]
    bias = [-steepness * sum(thresholds[:k]) for k in range(count)]
    return _write_conv(path, weight, bias, stride)


def write_mean_graph(path: Path, size: int) -> Path:
    """Write a network of two channels: 0 and the mean over ``size``³ neighbors."""
    kernel = [1.0 / size**3] * size**3
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["mean"], pads=[size // 2] * 6),
        helper.make_node("Mul", ["mean", "zero"], ["background"]),
        helper.make_node("Concat", ["background", "mean"], ["logits"], axis=1),
    ]
    initializers = [
        helper.make_tensor("w", TensorProto.FLOAT, [1, 1, size, size, size], kernel),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
    ]
    return _save(path, nodes, initializers, 2)


def write_shift_graph(
    path: Path, *, names: tuple[str, str] = ("image", "logits"), channels: int = 2
) -> Path:
    """Write a network whose channel k is k times the input moved by one along axis 0."""
    kernel = [float(k) * tap for k in range(channels) for tap in (1.0, 0.0, 0.0)]
    source, target = names
    node = helper.make_node("Conv", [source, "w"], [target], pads=[1, 0, 0, 1, 0, 0])
    weight = helper.make_tensor("w", TensorProto.FLOAT, [channels, 1, 3, 1, 1], kernel)
    return _save(path, [node], [weight], channels, names=names)


def _write_conv(path: Path, weight: list[float], bias: list[float], stride: int) -> Path:
    channels = len(weight)
    node = helper.make_node("Conv", ["image", "w", "b"], ["logits"], strides=[stride] * 3)
    initializers = [
        helper.make_tensor("w", TensorProto.FLOAT, [channels, 1, 1, 1, 1], weight),
        helper.make_tensor("b", TensorProto.FLOAT, [channels], bias),
    ]
    return _save(path, [node], initializers, channels)


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    tensors: list[onnx.TensorProto],
    channels: int,
    *,
    names: tuple[str, str] = ("image", "logits"),
) -> Path:
    source, target = names
    shape_out = [1, channels, *SHAPE_IN[2:]]
    graph = helper.make_graph(
        nodes,
        "analytic",
        [helper.make_tensor_value_info(source, TensorProto.FLOAT, SHAPE_IN)],
        [helper.make_tensor_value_info(target, TensorProto.FLOAT, shape_out)],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
