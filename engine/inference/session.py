"""One opened ONNX graph."""

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DeviceError, ModelPackageError
from engine.inference.onnx_tap import with_output
from engine.inference.providers import (
    CPU,
    CUDA,
    TENSORRT,
    Device,
    Provider,
    choose_providers,
    missing_provider_message,
)
from engine.inference.runtime import load_runtime
from engine.values.provenance import ComputeDevice

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSignature:
    """Name, ONNX element type and shape of a graph's input or output.

    Attributes:
        shape: Size per axis; None where the graph leaves it open.
    """

    name: str
    element_type: str
    shape: tuple[int | None, ...]


class Session:
    """An ONNX graph on its execution provider; runs may come from several threads.

    Attributes:
        device: Requested device, provider in use and versions, for the report.
        inputs, outputs: What the graph takes and gives, in the graph's order.
    """

    def __init__(self, native: Any, device: ComputeDevice, file_name: str) -> None:  # noqa: ANN401 - onnxruntime ships no types
        self.device = device
        self.inputs = tuple(_signature(node) for node in native.get_inputs())
        self.outputs = tuple(_signature(node) for node in native.get_outputs())
        self._native = native
        self._file_name = file_name

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run a graph of one input and give its first output.

        Args:
            array: Values for the first input, C-ordered.

        Raises:
            ModelPackageError: The graph does not take this array.
            DeviceError: The device ran out of memory or failed.
        """
        result = self.run_named({self.inputs[0].name: array}, (self.outputs[0].name,))
        return np.asarray(result[self.outputs[0].name], np.float32)

    def run_named(
        self, feeds: Mapping[str, NDArray[Any]], outputs: tuple[str, ...] = ()
    ) -> dict[str, NDArray[Any]]:
        """Run a graph with named inputs; all outputs unless some are named.

        Raises:
            ModelPackageError: The graph does not take these feeds.
            DeviceError: The device ran out of memory or failed.
        """
        names = outputs or tuple(output.name for output in self.outputs)
        errors = load_runtime().capi.onnxruntime_pybind11_state
        try:
            values = self._native.run(list(names), dict(feeds))
        except (errors.InvalidArgument, ValueError) as error:
            given = ", ".join(f"{name} {array.shape}" for name, array in feeds.items())
            raise ModelPackageError(
                f"{self._file_name} does not take {given}: {_first_line(error)}"
            ) from error
        except (errors.RuntimeException, errors.Fail, errors.EPFail) as error:
            raise DeviceError(
                f"{self._file_name} failed on {self.device.execution_provider}: "
                f"{_first_line(error)}; free memory on the device or use the device 'cpu'"
            ) from error
        return dict(zip(names, values, strict=True))

    def warm_up(self, shape: tuple[int, ...]) -> float:
        """Run once on zeros of a shape to come, and give the seconds it took.

        An accelerator loads kernels and picks algorithms in its first run; a node does
        this before it takes work.
        """
        started = time.perf_counter()
        self.run(np.zeros(shape, np.float32))
        return time.perf_counter() - started


def open_session(
    path: Path, *, device: Device = "auto", threads: int | None = None, tap: str = ""
) -> Session:
    """Open an ONNX graph.

    Args:
        path: The ONNX file, already verified by the model_package room.
        device: See ``choose_providers``.
        threads: CPU threads inside one operator; None takes the CPUs this process may
            use. On the CPU the result is the same, bit for bit, from run to run.
        tap: An inner tensor to give as a further output; empty for none.

    Raises:
        DeviceError: onnxruntime or the provider that was asked for is missing.
        ModelPackageError: The file is missing or is not a graph this runtime can run.
    """
    runtime = load_runtime()
    providers = choose_providers(device, runtime.get_available_providers())
    if len(providers) > 1 and hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()  # finds CUDA and cuDNN from NVIDIA's wheels (onnxruntime >= 1.21)
    native = _open_native(runtime, path, (providers, threads), tap)
    used = str(native.get_providers()[0])
    if used != providers[0][0]:
        # Built in, yet its driver or libraries do not load: onnxruntime falls back by itself.
        if device != "auto":
            raise DeviceError(missing_provider_message(providers[0][0], f"only {used} loads"))
        log.warning("%s does not load here, using %s", providers[0][0], used)
    found = ComputeDevice(
        requested=device,
        execution_provider=used,
        onnxruntime_version=str(runtime.__version__),
        description=_describe(used, _thread_count(threads)),
    )
    log.info("Opened %s on %s (asked for: %s)", path.name, used, device)
    return Session(native, found, path.name)


def _open_native(
    runtime: ModuleType, path: Path, place: tuple[list[Provider], int | None], tap: str
) -> Any:  # noqa: ANN401 - onnxruntime ships no types
    providers, threads = place
    options = runtime.SessionOptions()
    options.intra_op_num_threads = _thread_count(threads)
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    # Without the arena a window's memory goes back to the system after each run, so a service
    # does not keep one window's worth forever. Measured on a U-Net of 16 to 128 channels, window
    # 64 x 96 x 96: the same peak (0.39 GB), up to 7 % more CPU time.
    options.enable_cpu_mem_arena = False
    # Threads that spin between operators would starve the node's receiver on a small host.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    errors = runtime.capi.onnxruntime_pybind11_state
    try:
        source = with_output(path.read_bytes(), tap) if tap else str(path)
        return runtime.InferenceSession(source, sess_options=options, providers=providers)
    except (
        FileNotFoundError,
        errors.NoSuchFile,
        errors.InvalidProtobuf,
        errors.InvalidGraph,
        errors.NotImplemented,
        errors.InvalidArgument,
        errors.Fail,
        errors.RuntimeException,
    ) as error:
        raise ModelPackageError(
            f"{path.name} cannot be opened as an ONNX graph by onnxruntime "
            f"{runtime.__version__}: {_first_line(error)}; import the package again or "
            "update onnxruntime"
        ) from error


def _thread_count(threads: int | None) -> int:
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    if threads < 1:
        raise DeviceError(f"threads must be 1 or more, got {threads}")
    return threads


def _describe(provider: str, threads: int) -> str:
    kinds = {CPU: f"CPU, {threads} threads", CUDA: "NVIDIA GPU", TENSORRT: "NVIDIA GPU (TensorRT)"}
    return kinds.get(provider, provider)


def _signature(node: Any) -> TensorSignature:  # noqa: ANN401 - onnxruntime ships no types
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return TensorSignature(name=str(node.name), element_type=str(node.type), shape=shape)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
