"""Published encoders → ONNX with a parity check; needs the extra [convert]."""

import tomllib
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from engine.errors import ModelPackageError
from engine.inference.session import open_session
from engine.model_package.encoder_architectures import ARCHITECTURES, CLASSIFIERS
from engine.model_package.torch_export import OPSET, load_checkpoint
from engine.values.encoder import EncoderSpec

PARITY_TOLERANCE = 1e-5
"""Largest difference between torch and onnxruntime, relative to the largest value above 1."""
PARITY_BATCH = 2


def convert(text: str, weights: Path, spec: EncoderSpec, target: Path) -> float:
    """Write an encoder's feature maps as ONNX.

    Args:
        text: The manifest; [encoder] architecture names the network.
        weights: A state_dict of the whole classifier.
        spec: How it is fed.
        target: The ONNX file to write.

    Returns:
        The largest relative difference between torch and onnxruntime.

    Raises:
        ModelPackageError: Unknown architecture, weights that do not fit, or no parity.
    """
    name = str(tomllib.loads(text)["encoder"].get("architecture", ""))
    if name not in ARCHITECTURES:
        raise ModelPackageError(
            f"[encoder] architecture {name!r} is unknown; known: {', '.join(ARCHITECTURES)}; "
            "export other networks to ONNX and import the file"
        )
    return export(build(name, weights), spec, target)


def build(name: str, weights: Path) -> nn.Module:
    """A known network up to its last feature map, with the weights of a file.

    Raises:
        ModelPackageError: The state_dict is of another network.
    """
    state = load_checkpoint(weights)
    state = state.get("state_dict", state)
    wanted = {k: v for k, v in state.items() if not k.startswith(CLASSIFIERS)}
    network = ARCHITECTURES[name]()
    try:
        network.load_state_dict(wanted)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelPackageError(f"{weights.name} does not fit {name}: {reason}") from error
    return network.eval()


def export(network: nn.Module, spec: EncoderSpec, target: Path) -> float:
    """Write a network as ONNX and hold the two against each other.

    Raises:
        ModelPackageError: It cannot be exported, or differs by more than ``PARITY_TOLERANCE``.
    """
    spatial = spec.patch if spec.dimensions == 3 else spec.patch[1:]
    shape = (PARITY_BATCH, len(spec.channels), *spatial)
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(shape, generator=generator)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in torch_export: the old exporter is needed
            torch.onnx.export(
                network,
                (image,),
                str(target),
                input_names=[spec.input_name],
                output_names=["features"],
                opset_version=OPSET,
                dynamo=False,
                dynamic_axes={spec.input_name: {0: "batch"}, "features": {0: "batch"}},
            )
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        raise ModelPackageError(
            f"torch {torch.__version__} cannot export this encoder: {error}"
        ) from error
    with torch.no_grad():
        expected = network(image).numpy()
    found = open_session(target, device="cpu").run(image.numpy())
    difference = float(np.abs(expected - found).max() / max(1.0, np.abs(expected).max()))
    if expected.shape != found.shape or not difference <= PARITY_TOLERANCE:
        raise ModelPackageError(
            f"ONNX and torch differ by {difference:.2e}, at most {PARITY_TOLERANCE:g} allowed"
        )
    return difference
