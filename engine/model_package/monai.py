"""Import a MONAI bundle."""

import tempfile
from dataclasses import replace
from pathlib import Path

from engine.errors import ModelPackageError
from engine.model_package.folder import write_package
from engine.model_package.foreign import ONNX_FILE, ForeignNetwork, load_torch_export
from engine.model_package.importing import companions, read_draft
from engine.model_package.monai_config import INFERENCE, METADATA, read_bundle
from engine.model_package.trial import try_networks

SCRIPT, GRAPH = "models/model.ts", "models/model.onnx"


def is_monai_bundle(path: Path) -> bool:
    """Tell whether a folder looks like a MONAI bundle."""
    return (path / METADATA).is_file() and (path / INFERENCE).is_file()


def import_monai(folder: Path, manifest: Path, destination: Path) -> Path:
    """Import a bundle's TorchScript or ONNX network.

    Args:
        folder: configs/metadata.json, configs/inference.json, models/model.onnx or
            models/model.ts.
        manifest: A manifest without [[networks]] and [files].
        destination: Folder that will hold ``<name>/<version>``.

    Returns:
        The new package folder; its one network is the segmenter, run over the whole body.

    Raises:
        ModelPackageError: The bundle is not complete or not of a kind that converts, the
            ONNX graph differs from torch, or [convert] is not installed.
    """
    draft = read_draft(manifest)
    foreign = read_bundle(folder)
    with tempfile.TemporaryDirectory() as scratch:
        onnx = Path(scratch) / ONNX_FILE
        _convert(folder, foreign, onnx)
        complete = replace(draft, networks=(foreign.spec,))
        sources = {ONNX_FILE: onnx, **companions(draft, manifest.parent)}
        return write_package(complete, sources, destination, check=try_networks)


def _convert(folder: Path, foreign: ForeignNetwork, target: Path) -> None:
    if (folder / GRAPH).is_file():
        _turn(folder / GRAPH, foreign, target)
    elif (folder / SCRIPT).is_file():
        converter = load_torch_export()
        converter.export(converter.load_script(folder / SCRIPT), foreign, target)
    else:
        raise ModelPackageError(
            f"{folder.name}: {GRAPH} or {SCRIPT} is needed; write it with "
            "'python -m monai.bundle ckpt_export'"
        )


def _turn(graph: Path, foreign: ForeignNetwork, target: Path) -> None:
    try:
        from engine.model_package.onnx_axes import turn_axes  # noqa: PLC0415 - extra [convert]
    except ImportError as error:
        raise ModelPackageError(
            f"Converting needs {error.name}; install it with: pip install 'hepatocast[convert]'"
        ) from error
    turn_axes(graph, target, foreign.adapter)
