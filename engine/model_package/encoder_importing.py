"""Make an encoder package: an ONNX file as it is, or a PyTorch state_dict converted."""

import shutil
import tempfile
from pathlib import Path
from types import ModuleType

import numpy as np

from engine.errors import ModelPackageError
from engine.inference.session import open_session
from engine.model_package.encoder import ENCODER, bind_file, load_encoder, parse_encoder
from engine.model_package.importing import COMPANIONS
from engine.model_package.manifest import MANIFEST_FILE
from engine.values.encoder import EncoderSpec


def is_encoder_manifest(manifest: Path) -> bool:
    """Whether a manifest asks for an encoder package."""
    try:
        return f'kind = "{ENCODER}"' in manifest.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def import_encoder(source: Path, manifest: Path, destination: Path) -> Path:
    """Import an encoder.

    Args:
        source: ONNX file; or a state_dict (.pth, .pt) of the torchvision architecture that
            [encoder] names, which needs the extra [convert].
        manifest: A manifest without checksums; MODEL_CARD.md and LICENSE beside it are taken.
        destination: Folder that will hold ``<name>/<version>``.

    Raises:
        ModelPackageError: The manifest or the graph is not right; nothing is written.
    """
    text = manifest.read_text("utf-8")
    draft = parse_encoder(text, manifest.parent, "")
    final = destination / draft.name / draft.version
    if final.exists():
        raise ModelPackageError(
            f"{draft.name} {draft.version} exists already; packages never change: raise the version"
        )
    try:
        destination.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=destination, prefix=".import-") as scratch:
            partial = Path(scratch) / "package"
            partial.mkdir()
            target = partial / draft.file.name
            if source.suffix == ".onnx":
                shutil.copyfile(source, target)
            else:
                _load_converter().convert(text, source, draft, target)
            for name in COMPANIONS:
                if (manifest.parent / name).is_file():
                    shutil.copyfile(manifest.parent / name, partial / name)
            (partial / MANIFEST_FILE).write_text(bind_file(text, target), "utf-8")
            try_encoder(load_encoder(partial))
            final.parent.mkdir(exist_ok=True)
            partial.rename(final)
    except OSError as error:
        raise ModelPackageError(
            f"Cannot write {draft.name} {draft.version}: {error.strerror or error}"
        ) from error
    return final


def try_encoder(spec: EncoderSpec) -> tuple[int, ...]:
    """Run a patch of zeros and give the shape of the layer.

    Raises:
        ModelPackageError: The graph does not take the patch or has no such layer.
    """
    session = open_session(spec.file, device="cpu")
    if spec.layer not in {output.name for output in session.outputs}:
        session = open_session(spec.file, device="cpu", tap=spec.layer)
    spatial = spec.patch if spec.dimensions == 3 else spec.patch[1:]
    zeros = np.zeros((1, len(spec.channels), *spatial), np.float32)
    found = session.run_named({spec.input_name: zeros}, (spec.layer,))[spec.layer]
    if found.ndim not in (2, zeros.ndim):
        raise ModelPackageError(
            f"Layer {spec.layer!r} gives shape {found.shape}; (batch, channel) or a feature map "
            f"of {spec.dimensions} axes is needed"
        )
    return tuple(found.shape)


def _load_converter() -> ModuleType:
    try:
        from engine.model_package import torch_encoders  # noqa: PLC0415 - torch is an extra
    except ImportError as error:
        raise ModelPackageError(
            f"Converting needs {error.name or 'torch'}; "
            "install it with: pip install 'hepatocast[convert]'"
        ) from error
    return torch_encoders
