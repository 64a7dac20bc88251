"""Write a package folder: complete and checked, or not at all."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from engine.errors import ModelPackageError
from engine.model_package.checksums import file_sha256
from engine.model_package.loading import load_package
from engine.model_package.manifest import MANIFEST_FILE, Manifest
from engine.model_package.manifest_writing import render_manifest
from engine.values.model import SegmentationPackage

Check = Callable[[SegmentationPackage], None]


def write_package(
    manifest: Manifest, sources: Mapping[str, Path], destination: Path, *, check: Check
) -> Path:
    """Copy files, write checksums and manifest, check, then show the package by rename.

    Args:
        manifest: What to write; its [files] are computed anew.
        sources: File to copy by its path inside the package.
        destination: Folder that will hold ``<name>/<version>``.
        check: Called with the loaded package before anyone else can see it.

    Returns:
        The folder ``destination/<name>/<version>``.

    Raises:
        ModelPackageError: The version exists, a file cannot be read or written, or the
            package does not load or pass ``check``; nothing is left behind.
    """
    final = destination / manifest.name / manifest.version
    if final.exists():
        raise ModelPackageError(
            f"{manifest.name} {manifest.version} exists already; packages never change: "
            "raise the version in the manifest"
        )
    try:
        destination.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=destination, prefix=".import-") as scratch:
            partial = Path(scratch) / "package"
            _fill(partial, manifest, sources)
            check(load_package(partial, search_paths=()))
            final.parent.mkdir(exist_ok=True)
            partial.rename(final)
    except OSError as error:
        raise ModelPackageError(
            f"Cannot write {manifest.name} {manifest.version}: {error.strerror or error}; "
            "choose a folder that can be written"
        ) from error
    return final


def _fill(folder: Path, manifest: Manifest, sources: Mapping[str, Path]) -> None:
    checksums = {}
    for name, source in sources.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        checksums[name] = file_sha256(target)
    complete = replace(manifest, files=checksums)
    (folder / MANIFEST_FILE).write_text(render_manifest(complete), "utf-8")
