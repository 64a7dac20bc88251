"""SHA-256 over the files of a package."""

import hashlib
from pathlib import Path

from engine.errors import ModelPackageError
from engine.model_package.manifest import MANIFEST_FILE, Manifest


def file_sha256(path: Path) -> str:
    """Give the SHA-256 of a file as 64 hex digits.

    Raises:
        ModelPackageError: The file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelPackageError(
            f"{path.name} cannot be read ({type(error).__name__}); restore the package"
        ) from error


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Hold every file of a package against the manifest.

    Raises:
        ModelPackageError: A file is missing, changed, a link, or not in the manifest.
    """
    package = f"Model package {manifest.name} {manifest.version}"
    found = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }
    for name in sorted(found.keys() - manifest.files.keys() - {MANIFEST_FILE}):
        raise ModelPackageError(
            f"{package}: {name} is not in the manifest; remove it, or install the package again"
        )
    for name, expected in manifest.files.items():
        if name not in found:
            raise ModelPackageError(f"{package}: {name} is missing; install the package again")
        if found[name].is_symlink():
            raise ModelPackageError(f"{package}: {name} is a link; copy the file in its place")
        actual = file_sha256(found[name])
        if actual != expected:
            raise ModelPackageError(
                f"{package}: {name} was changed (SHA-256 {actual[:12]}…, manifest says "
                f"{expected[:12]}…); install the package again from its source"
            )


def package_sha256(folder: Path) -> str:
    """Give one checksum for a whole package: that of its manifest.

    The manifest lists the checksum of every other file, so this number stands for all
    of them, and anyone can check it with ``sha256sum manifest.toml``.
    """
    return file_sha256(folder / MANIFEST_FILE)
