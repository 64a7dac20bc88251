"""Make a package from ONNX files and a manifest."""

from pathlib import Path

from engine.errors import ModelPackageError
from engine.model_package.folder import write_package
from engine.model_package.manifest import Manifest
from engine.model_package.manifest_reading import parse_manifest
from engine.model_package.trial import try_networks

COMPANIONS = ("MODEL_CARD.md", "LICENSE")
"""Files beside the manifest that belong to a package when they are there."""


def import_onnx(onnx: Path, manifest: Path, destination: Path) -> Path:
    """Import ONNX files.

    Args:
        onnx: The ONNX file of a package with one network, or the folder that holds the
            files its [[networks]] name.
        manifest: A manifest without [files]; MODEL_CARD.md, LICENSE and the reference
            case are taken from its folder.
        destination: Folder that will hold ``<name>/<version>``.

    Returns:
        The new package folder.

    Raises:
        ModelPackageError: The manifest or a graph is not right; nothing is written.
    """
    draft = read_draft(manifest)
    if not draft.networks:
        raise ModelPackageError(f"{manifest.name}: [[networks]] is needed to import ONNX files")
    if onnx.is_file() and len(draft.networks) != 1:
        files = ", ".join(spec.file for spec in draft.networks)
        raise ModelPackageError(f"{manifest.name} names {files}; give the folder that holds them")
    sources = {spec.file: onnx if onnx.is_file() else onnx / spec.file for spec in draft.networks}
    sources |= companions(draft, manifest.parent)
    missing = sorted(name for name, path in sources.items() if not path.is_file())
    if missing:
        raise ModelPackageError(f"{onnx.name}: {', '.join(missing)} named in the manifest, missing")
    return write_package(draft, sources, destination, check=try_networks)


def read_draft(path: Path) -> Manifest:
    """Read the manifest an import starts from.

    Raises:
        ModelPackageError: Unreadable or not as the schema wants it.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelPackageError(
            f"{path.name} cannot be read ({type(error).__name__}); give a manifest in UTF-8"
        ) from error
    return parse_manifest(text, draft=True)


def companions(draft: Manifest, folder: Path) -> dict[str, Path]:
    """Find the files beside a draft that belong to the package."""
    found = {name: folder / name for name in COMPANIONS if (folder / name).is_file()}
    if draft.reference is not None:
        found[draft.reference.file] = folder / draft.reference.file
    return found
