"""Which ONNX execution providers a session asks for, in which order (DESIGN decision 2)."""

import logging
from typing import Any, Literal, get_args

from engine.errors import DeviceError
from engine.inference.runtime import INSTALL_GPU

Device = Literal["auto", "cpu", "cuda", "tensorrt"]
Provider = tuple[str, dict[str, Any]]

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"

log = logging.getLogger(__name__)


def choose_providers(device: Device, available: list[str]) -> list[Provider]:
    """Give the provider chain for a device, most wanted first.

    Args:
        device: "auto" takes CUDA where it is built in, else the CPU. "cuda" and
            "tensorrt" insist: what is missing is an error, never a silent fallback.
        available: Providers the installed onnxruntime was built with.

    Returns:
        Provider names with their options; the CPU is last in every chain, for the nodes
        that an accelerator leaves out (shape arithmetic).

    Raises:
        DeviceError: The provider that was asked for is not built in.
    """
    if device not in get_args(Device):
        raise DeviceError(f"Unknown device {device!r}; use one of: {', '.join(get_args(Device))}")
    wanted = {"cpu": [], "cuda": [CUDA], "tensorrt": [TENSORRT, CUDA]}.get(device)
    if wanted is None:
        wanted = [CUDA] if CUDA in available else []
    missing = [name for name in wanted if name not in available]
    if missing:
        raise DeviceError(missing_provider_message(missing[0], ", ".join(available)))
    return [*((name, _OPTIONS[name]) for name in wanted), (CPU, {})]


def missing_provider_message(provider: str, found: str) -> str:
    """Say which provider is missing, what there is, and how to get it."""
    return (
        f"{provider} was asked for and cannot be used here (found: {found}); "
        f"{INSTALL_GPU}, or ask for the device 'cpu' or 'auto'"
    )


# TF32 would round the convolutions' inputs to 10 bits, so a GPU's masks would drift from
# the CPU's; windows have one shape per volume, so a heuristic choice of algorithm serves
# and an exhaustive one would be paid again for every new shape.
_CUDA_OPTIONS: dict[str, Any] = {
    "use_tf32": "0",
    "cudnn_conv_algo_search": "HEURISTIC",
    "arena_extend_strategy": "kSameAsRequested",
}
_OPTIONS: dict[str, dict[str, Any]] = {CUDA: _CUDA_OPTIONS, TENSORRT: {}}
