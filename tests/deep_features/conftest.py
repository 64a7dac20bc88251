"""Small encoders made on the spot."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.values.encoder import EncoderChannel, EncoderSpec
from engine.values.geometry import VolumeGeometry, VoxelSpacing


def pooled_identity(path: Path, channels: int, rank: int) -> Path:
    """A graph whose inner tensor "inner" averages 2 × 2 (× 2) voxels; its output doubles that."""
    axes = ["slice", "row", "column"][-rank:]
    shape = ["batch", channels, *axes]
    nodes = [
        helper.make_node(
            "AveragePool", ["image"], ["inner"], kernel_shape=[2] * rank, strides=[2] * rank
        ),
        helper.make_node("Mul", ["inner", "two"], ["features"]),
    ]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.float32(2), "two")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def grid_of(shape: tuple[int, int, int], mm: tuple[float, float, float]) -> VolumeGeometry:
    """Standard axes: slices to the head, rows to posterior, columns to the left."""
    return VolumeGeometry(
        shape=shape,
        spacing=VoxelSpacing(slice_mm=mm[0], row_mm=mm[1], column_mm=mm[2]),
        origin_mm=(-20.0, 5.0, 100.0),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )


def spec_of(file: Path, dimensions: int, **changes: object) -> EncoderSpec:
    """A spec on the grid's own 1 mm voxels, window 0 to 100 HU."""
    known: dict[str, object] = {
        "name": "pooled",
        "version": "1.0.0",
        "package_sha256": "0" * 64,
        "file": file,
        "dimensions": dimensions,
        "input_name": "image",
        "layer": "inner",
        "channels": (EncoderChannel(low_hu=0.0, high_hu=100.0),),
        "spacing_mm": (1.0, 1.0, 1.0),
        "patch": (16, 16, 16),
        "license": "CC0-1.0",
    }
    return EncoderSpec(**(known | changes))  # type: ignore[arg-type]


@pytest.fixture
def graph_2d(tmp_path: Path) -> Path:
    return pooled_identity(tmp_path / "flat.onnx", 1, 2)


@pytest.fixture
def graph_3d(tmp_path: Path) -> Path:
    return pooled_identity(tmp_path / "solid.onnx", 1, 3)
