"""torch → ONNX with a parity check; imported only by a conversion (extra [convert])."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.errors import ModelPackageError
from engine.inference.session import open_session
from engine.model_package.foreign import INPUT_NAME, OUTPUT_NAME, AxisAdapter, ForeignNetwork
from engine.model_package.onnx_axes import turn_axes

OPSET = 17
PARITY_TOLERANCE = 1e-4
"""Largest difference of a logit between torch and onnxruntime, relative to the largest
logit where that is above 1."""


class OnStandardAxes(nn.Module):  # type: ignore[misc] # torch ships no types here
    """A network fed on the engine's standard axes, its output turned back."""

    def __init__(self, network: nn.Module, adapter: AxisAdapter) -> None:
        super().__init__()
        self.network = network
        self.flipped = [axis + 2 for axis in adapter.flipped]
        self.order = [0, 1, *(axis + 2 for axis in adapter.order)]
        self.back = [0, 1, *(int(axis) + 2 for axis in np.argsort(adapter.order))]

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Flip, permute, run, permute back, flip back."""
        turned = (torch.flip(image, self.flipped) if self.flipped else image).permute(self.order)
        logits = self.network(turned)
        if isinstance(logits, list | tuple):  # deep supervision: full resolution comes first
            logits = logits[0]
        logits = logits.permute(self.back)
        return torch.flip(logits, self.flipped) if self.flipped else logits


def export(network: nn.Module, foreign: ForeignNetwork, path: Path) -> float:
    """Write a network as ONNX and hold the two against each other.

    Args:
        network: In evaluation mode, weights loaded.
        foreign: How it is fed.
        path: The ONNX file to write.

    Returns:
        The largest relative difference found.

    Raises:
        ModelPackageError: The network cannot be exported, or differs by more than
            ``PARITY_TOLERANCE``.
    """
    module = OnStandardAxes(network, foreign.adapter).eval()
    divisor = foreign.spec.divisor
    sides = [min(p, 2 * d) for p, d in zip(foreign.spec.patch, divisor, strict=True)]
    torch.manual_seed(0)
    if isinstance(network, torch.jit.ScriptModule):  # cannot be traced inside another module
        own_axes = path.with_suffix(".own_axes.onnx")
        _write(network, [sides[axis] for axis in foreign.adapter.order], own_axes)
        turn_axes(own_axes, path, foreign.adapter)
        own_axes.unlink()
    else:
        _write(module, sides, path)
    larger = [min(p, s + d) for p, s, d in zip(foreign.spec.patch, sides, divisor, strict=True)]
    return max(_difference(module, path, sides), _difference(module, path, larger))


def _write(network: nn.Module, sides: list[int], path: Path) -> None:
    spatial = {2: "slice", 3: "row", 4: "column"}
    try:
        with warnings.catch_warnings():
            # The TorchScript exporter is marked as old; the new one needs more packages and
            # fixes the spatial axes of these networks.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                (torch.randn(1, 1, *sides),),
                str(path),
                input_names=[INPUT_NAME],
                output_names=[OUTPUT_NAME],
                opset_version=OPSET,
                dynamo=False,
                dynamic_axes={INPUT_NAME: spatial, OUTPUT_NAME: spatial},
            )
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        raise ModelPackageError(
            f"torch {torch.__version__} cannot export this network to ONNX: {error}"
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Load a checkpoint's tensors and plain values; code in it is never run.

    Raises:
        ModelPackageError: Unreadable, or it holds objects other than tensors and numbers.
    """
    scalar = np.float64(0).__reduce__()[0]
    allowed = [
        (scalar, "numpy.core.multiarray.scalar"),
        (scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        *(type(np.dtype(kind)) for kind in ("float64", "float32", "int64")),
    ]
    try:
        with torch.serialization.safe_globals(allowed):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (
        OSError,
        RuntimeError,
        EOFError,
        ValueError,
        pickle.UnpicklingError,
    ) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelPackageError(
            f"{path.name} cannot be loaded as weights only: {reason}; save the checkpoint "
            "again without further Python objects"
        ) from error
    if not isinstance(loaded, dict):
        raise ModelPackageError(f"{path.name}: a dictionary is needed, found {type(loaded)}")
    return loaded


def load_script(path: Path) -> nn.Module:
    """Load a TorchScript network for the CPU.

    Raises:
        ModelPackageError: Not TorchScript.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is marked as old; bundles still use it
            return torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        raise ModelPackageError(f"{path.name} is not a TorchScript network") from error


def _difference(module: nn.Module, path: Path, sides: list[int]) -> float:
    image = torch.randn(1, 1, *sides)
    with torch.no_grad():
        expected = module(image).numpy()
    found = open_session(path, device="cpu").run(image.numpy())
    difference = float(np.abs(expected - found).max() / max(1.0, np.abs(expected).max()))
    if expected.shape != found.shape or not difference <= PARITY_TOLERANCE:
        raise ModelPackageError(
            f"ONNX and torch differ by {difference:.2e} on an input {tuple(sides)}, at most "
            f"{PARITY_TOLERANCE:g} allowed; the network uses an operation that does not export"
        )
    return difference
