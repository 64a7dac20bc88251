"""Opening and running one ONNX graph."""

import logging
from pathlib import Path

import numpy as np
import pytest

from engine.errors import DeviceError, ModelPackageError
from engine.inference.providers import CPU
from engine.inference.runtime import load_runtime
from engine.inference.session import open_session
from tests.phantoms.graphs import write_mean_graph, write_threshold_graph


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return write_threshold_graph(tmp_path / "net.onnx", (0.5,))


def test_a_graph_gives_its_first_output(graph: Path) -> None:
    image = np.linspace(0, 1, 2 * 3 * 4, dtype=np.float32).reshape(1, 1, 2, 3, 4)
    logits = open_session(graph, device="cpu").run(image)
    np.testing.assert_allclose(logits[0, 1], image[0, 0] - 0.5, atol=1e-6)


def test_named_feeds_give_named_outputs(graph: Path) -> None:
    image = np.ones((1, 1, 2, 2, 2), np.float32)
    assert open_session(graph).run_named({"image": image})["logits"].shape == (1, 2, 2, 2, 2)


def test_open_axes_are_none_in_the_signature(graph: Path) -> None:
    session = open_session(graph, device="cpu")
    assert session.inputs[0].shape == (1, 1, None, None, None)
    assert session.outputs[0].name == "logits"


def test_the_device_is_reported_and_logged(graph: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="engine.inference.session"):
        device = open_session(graph, device="cpu", threads=1).device
    assert (device.requested, device.execution_provider) == ("cpu", CPU)
    assert device.onnxruntime_version == load_runtime().__version__
    assert device.description == "CPU, 1 threads"
    assert f"net.onnx on {CPU}" in caplog.text


def test_the_same_input_gives_the_same_bits(tmp_path: Path) -> None:
    session = open_session(write_mean_graph(tmp_path / "mean.onnx", 5), device="cpu", threads=2)
    image = np.random.default_rng(1).normal(size=(1, 1, 24, 24, 24)).astype(np.float32)
    assert session.run(image).tobytes() == session.run(image).tobytes()


def test_cuda_on_a_machine_without_it_is_refused(graph: Path) -> None:
    if "CUDAExecutionProvider" in load_runtime().get_available_providers():
        assert open_session(graph, device="cuda").device.execution_provider.startswith("CUDA")
    else:
        with pytest.raises(DeviceError, match="CUDAExecutionProvider"):
            open_session(graph, device="cuda")


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a protobuf")
    with pytest.raises(ModelPackageError, match=r"broken\.onnx"):
        open_session(broken, device="cpu")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match=r"absent\.onnx"):
        open_session(tmp_path / "absent.onnx", device="cpu")


def test_an_array_of_the_wrong_rank_is_refused_with_its_shape(graph: Path) -> None:
    with pytest.raises(ModelPackageError, match=r"image \(2, 2\)"):
        open_session(graph, device="cpu").run(np.zeros((2, 2), np.float32))


def test_warm_up_takes_a_shape_to_come(graph: Path) -> None:
    assert open_session(graph, device="cpu").warm_up((1, 1, 4, 4, 4)) > 0


def test_no_threads_is_refused(graph: Path) -> None:
    with pytest.raises(DeviceError, match="threads"):
        open_session(graph, threads=0)
