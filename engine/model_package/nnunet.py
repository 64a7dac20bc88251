"""Import an nnU-Net v2 trained folder."""

import tempfile
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import ModelPackageError
from engine.model_package.folder import write_package
from engine.model_package.foreign import ONNX_FILE, field_of, load_torch_export
from engine.model_package.importing import companions, read_draft
from engine.model_package.nnunet_plans import DATASET, PLANS, NnunetPlan, read_plan
from engine.model_package.trial import try_networks

CHECKPOINT = "checkpoint_final.pth"
PREFIXES = ("module.", "_orig_mod.")
"""What torch puts before weight names when it trained in parallel or compiled."""


def is_nnunet_folder(path: Path) -> bool:
    """Tell whether a folder looks like nnU-Net v2's output of a training."""
    return (path / PLANS).is_file() and (path / DATASET).is_file()


def import_nnunet(folder: Path, manifest: Path, destination: Path, *, fold: str = "") -> Path:
    """Import one fold of a trained folder.

    Args:
        folder: plans.json, dataset.json and fold_x/checkpoint_final.pth.
        manifest: A manifest without [[networks]] and [files]: nnU-Net does not know the
            intended use, the terms of the data or the codes of the segments.
        destination: Folder that will hold ``<name>/<version>``.
        fold: "fold_0", "fold_all", …; by default the first that has a final checkpoint.

    Returns:
        The new package folder; its one network is the segmenter, run over the whole body.

    Raises:
        ModelPackageError: The folder is not complete or not of a kind that converts, the
            ONNX graph differs from torch, or [convert] is not installed.
    """
    draft = read_draft(manifest)
    converter = load_torch_export()
    stored = converter.load_checkpoint(_checkpoint(folder, fold))
    configuration = stored.get("init_args", {}).get("configuration") or folder.name.split("__")[-1]
    plan = read_plan(folder, str(configuration))
    network = _build(plan)
    _load_weights(network, field_of(stored, "network_weights", CHECKPOINT))
    with tempfile.TemporaryDirectory() as scratch:
        onnx = Path(scratch) / ONNX_FILE
        converter.export(network, plan.network, onnx)
        complete = replace(draft, networks=(plan.network.spec,))
        sources = {ONNX_FILE: onnx, **companions(draft, manifest.parent)}
        return write_package(complete, sources, destination, check=try_networks)


def _checkpoint(folder: Path, fold: str) -> Path:
    found = sorted(folder.glob(f"{fold or 'fold_*'}/{CHECKPOINT}"))
    if not found:
        raise ModelPackageError(
            f"{folder.name}: no {fold or 'fold_*'}/{CHECKPOINT}; wait until training is over"
        )
    return found[0]


def _build(plan: NnunetPlan) -> Any:  # noqa: ANN401 - a torch module
    """Build the network from its plan; only torch's own classes are looked up by name."""
    import torch  # noqa: PLC0415 - extra [convert], loaded before by load_torch_export

    architectures = _load_architectures()
    arguments = dict(plan.arguments)
    for key in plan.imported:
        name = arguments.get(key)
        if name is not None:
            arguments[key] = _torch_class(torch, str(name))
    try:
        network = getattr(architectures, plan.class_name)(
            input_channels=1, num_classes=plan.heads, deep_supervision=False, **arguments
        )
    except (TypeError, AssertionError, ValueError, KeyError) as error:
        raise ModelPackageError(f"{PLANS} does not build {plan.class_name}: {error}") from error
    return network.eval()


def _load_architectures() -> ModuleType:
    try:
        return import_module("dynamic_network_architectures.architectures.unet")
    except ImportError as error:
        raise ModelPackageError(
            f"Converting nnU-Net needs {error.name}; "
            "install it with: pip install 'hepatocast[convert]'"
        ) from error


def _torch_class(torch: ModuleType, name: str) -> Any:  # noqa: ANN401 - a torch class
    last = name.rpartition(".")[2]
    found = getattr(torch.nn, last, None)
    if not name.startswith("torch.nn.") or not isinstance(found, type):
        raise ModelPackageError(f"{PLANS}: {name!r} is not a layer of torch.nn")
    return found


def _load_weights(network: Any, weights: dict[str, Any]) -> None:  # noqa: ANN401 - a torch module
    renamed = {}
    for name, tensor in weights.items():
        bare = name
        for prefix in PREFIXES:
            bare = bare.removeprefix(prefix)
        renamed[bare] = tensor
    try:
        network.load_state_dict(renamed)
    except RuntimeError as error:
        lines = str(error).strip().splitlines()
        raise ModelPackageError(
            f"{CHECKPOINT} does not fit {PLANS}: {(lines[1:] or lines)[0].strip()}"
        ) from error
