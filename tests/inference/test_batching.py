"""Windows of several threads share a device: the same numbers, in as few runs as possible."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from engine.errors import DeviceError, ModelPackageError
from engine.inference.batching import DeviceQueue, SharedSession, default_batch
from engine.inference.session import Session, open_session
from engine.model_package.loading import embedded_models
from tests.phantoms.graphs import write_mean_graph

Array = NDArray[np.float32]
WAIT_SECONDS = 10


def free_batch_axis(path: Path, target: Path) -> Path:
    """The same graph with an open first axis."""
    model = onnx.load(path)
    for tensor in (model.graph.input[0], model.graph.output[0]):
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.save(model, target)
    return target


def windows(count: int, shape: tuple[int, int, int] = (8, 8, 8)) -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((1, 1, *shape)).astype(np.float32) for _ in range(count)]


class Gate:
    """Holds the device's first run back until everybody else waits."""

    def __init__(self, queue: DeviceQueue, others: int) -> None:
        self._queue, self._others = queue, others

    def hold(self) -> None:
        deadline = threading.Event()
        for _ in range(WAIT_SECONDS * 100):
            if len(self._queue._waiting) >= self._others:
                return
            deadline.wait(0.01)
        raise AssertionError("the others never came")


class HeldNative:
    """An onnxruntime session whose first run waits for the gate; notes every batch's size."""

    def __init__(self, session: Session, gate: Gate, refuse: Callable[[int], bool]) -> None:
        self._native, self._gate, self._refuse = session._native, gate, refuse
        self.sizes: list[int] = []
        self.get_inputs, self.get_outputs = self._native.get_inputs, self._native.get_outputs

    def run(self, names: list[str], feeds: dict[str, Array]) -> list[Array]:
        if not self.sizes:
            self._gate.hold()
        (array,) = feeds.values()
        self.sizes.append(len(array))
        if self._refuse(len(array)):
            raise DeviceError("out of memory")
        return list(self._native.run(names, feeds))


def run_together(
    path: Path, arrays: list[Array], *, most: int, refuse: Callable[[int], bool] = lambda _: False
) -> tuple[list[Array], list[int]]:
    """Every array from a thread of its own; results, and the sizes of the runs."""
    queue, session = DeviceQueue(), open_session(path, device="cpu", threads=1)
    native = HeldNative(session, Gate(queue, len(arrays) - 1), refuse)
    shared = SharedSession(Session(native, session.device, path.name), queue, most=most)
    with ThreadPoolExecutor(len(arrays)) as pool:
        results = list(pool.map(shared.run, arrays))
    return results, native.sizes


def test_windows_that_wait_together_run_together_with_the_same_bits(tmp_path: Path) -> None:
    path = free_batch_axis(write_mean_graph(tmp_path / "m.onnx", 3), tmp_path / "b.onnx")
    alone = open_session(path, device="cpu", threads=1)
    arrays = windows(5)
    results, sizes = run_together(path, arrays, most=4)
    assert sizes == [1, 4]
    for array, result in zip(arrays, results, strict=True):
        assert np.array_equal(result, alone.run(array))


@pytest.mark.parametrize("role", ["localizer", "segmenter"])
def test_the_embedded_networks_give_the_same_bits_in_a_batch(tmp_path: Path, role: str) -> None:
    original = embedded_models() / "liver_tumor_ct" / "1.0.0" / f"{role}.onnx"
    alone = open_session(original, device="cpu", threads=2)
    batched = open_session(free_batch_axis(original, tmp_path / "b.onnx"), device="cpu", threads=2)
    arrays = windows(3, (16, 24, 32))
    together = batched.run(np.concatenate(arrays))
    assert np.array_equal(together, np.concatenate([alone.run(array) for array in arrays]))


def test_a_graph_with_a_fixed_batch_axis_runs_one_by_one(tmp_path: Path) -> None:
    path = write_mean_graph(tmp_path / "m.onnx", 3)
    _, sizes = run_together(path, windows(3), most=4)
    assert sizes == [1, 1, 1]


def test_windows_of_another_shape_wait_for_their_own_run(tmp_path: Path) -> None:
    path = free_batch_axis(write_mean_graph(tmp_path / "m.onnx", 3), tmp_path / "b.onnx")
    arrays = [*windows(3), *windows(2, (8, 8, 16))]
    results, sizes = run_together(path, arrays, most=8)
    assert sum(sizes) == 5
    assert len(sizes) == 3
    assert [r.shape[2:] for r in results] == [a.shape[2:] for a in arrays]


def test_a_batch_the_device_refuses_is_run_window_by_window(tmp_path: Path) -> None:
    path = free_batch_axis(write_mean_graph(tmp_path / "m.onnx", 3), tmp_path / "b.onnx")
    results, sizes = run_together(path, windows(4), most=4, refuse=lambda size: size > 1)
    assert sizes == [1, 3, 1, 1, 1]
    assert len(results) == 4


def test_an_error_reaches_the_thread_that_brought_the_window(tmp_path: Path) -> None:
    queue = DeviceQueue()
    session = open_session(write_mean_graph(tmp_path / "m.onnx", 3), device="cpu", threads=1)
    shared = SharedSession(session, queue, most=1)
    with pytest.raises(ModelPackageError, match="does not take"):
        shared.run(np.zeros((1, 2, 8, 8, 8), np.float32))
    assert shared.run(windows(1)[0]).shape == (1, 2, 8, 8, 8)


def test_no_more_than_the_limit_ever_waits(tmp_path: Path) -> None:
    """The device is held; of five further windows two wait in the queue, three outside."""
    path = free_batch_axis(write_mean_graph(tmp_path / "m.onnx", 3), tmp_path / "b.onnx")
    queue, session = DeviceQueue(limit=2), open_session(path, device="cpu", threads=1)
    native = HeldNative(session, Gate(queue, 2), lambda _: False)
    shared = SharedSession(Session(native, session.device, path.name), queue, most=1)
    longest = []

    def run(array: Array) -> Array:
        longest.append(len(queue._waiting))
        return shared.run(array)

    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(run, windows(6)))) == 6
    assert max(longest) <= 2
    assert native.sizes == [1] * 6


def test_batches_are_for_accelerators() -> None:
    assert default_batch("CPUExecutionProvider") == 1
    assert default_batch("CUDAExecutionProvider") > 1
