"""Find a package, verify it, and give it to the engine."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.errors import ModelPackageError
from engine.model_package.checksums import package_sha256, verify_files
from engine.model_package.manifest import MANIFEST_FILE, Manifest
from engine.model_package.manifest_reading import read_manifest
from engine.model_package.version import is_version, precedence
from engine.values.model import SegmentationPackage
from engine.values.provenance import ModelIdentity


def embedded_models() -> Path:
    """Give the folder of the packages that came with HepatoCast.

    In a wheel they lie in ``engine/embedded_models``; in a source checkout in ``models``.
    """
    engine = Path(__file__).resolve().parents[1]
    inside = engine / "embedded_models"
    return inside if inside.is_dir() else engine.parent / "models"


def load_package(name_or_path: str | Path, *, search_paths: Sequence[Path]) -> SegmentationPackage:
    """Find, verify and load a segmentation package.

    Args:
        name_or_path: "liver_tumor_ct" (its newest version), "liver_tumor_ct@1.0.0", or
            the path of a package folder.
        search_paths: Folders that hold ``<name>/<version>/manifest.toml``; the first
            that has the package wins.

    Raises:
        ModelPackageError: Not found, a manifest that cannot be used, or a file that is
            missing, changed or unknown.
    """
    folder = find_package(name_or_path, search_paths=search_paths)
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    if folder.parent.parent in {path.resolve() for path in search_paths}:
        _check_place(folder, manifest)
    return _as_package(folder, manifest)


def find_package(name_or_path: str | Path, *, search_paths: Sequence[Path]) -> Path:
    """Give the folder of a package, unverified; arguments as for ``load_package``."""
    as_path = Path(name_or_path)
    if (as_path / MANIFEST_FILE).is_file():
        return as_path.resolve()
    name, _, version = str(name_or_path).partition("@")
    for root in search_paths:
        versions = {folder.name: folder for folder in package_folders(root) if _of(folder) == name}
        if version and version in versions:
            return versions[version].resolve()
        if versions and not version:
            released = [v for v in versions if "-" not in v] or list(versions)
            return versions[max(released, key=precedence)].resolve()
    known = sorted({_of(folder) for root in search_paths for folder in package_folders(root)})
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(known) or 'none'}"
    raise ModelPackageError(
        f"No model package {str(name_or_path)!r} ({hint}); see 'hepatocast model list', or add "
        "one with 'hepatocast model import'"
    )


def package_folders(root: Path) -> Iterator[Path]:
    """Walk the ``<name>/<version>`` folders below a search path that hold a manifest."""
    for path in sorted(root.glob(f"*/*/{MANIFEST_FILE}")):
        if is_version(path.parent.name):
            yield path.parent


def _check_place(folder: Path, manifest: Manifest) -> None:
    if (_of(folder), folder.name) != (manifest.name, manifest.version):
        raise ModelPackageError(
            f"Folder {_of(folder)}/{folder.name} holds {manifest.name} {manifest.version}; "
            f"move it to {manifest.name}/{manifest.version}"
        )


def _of(folder: Path) -> str:
    return folder.parent.name


def _as_package(folder: Path, manifest: Manifest) -> SegmentationPackage:
    return SegmentationPackage(
        identity=ModelIdentity(
            name=manifest.name,
            version=manifest.version,
            sha256=package_sha256(folder),
            intended_use=manifest.intended_use,
            limits=manifest.limits,
        ),
        folder=folder,
        networks=manifest.networks,
        segments=manifest.segments,
        criteria=manifest.criteria,
        tumor_threshold=manifest.tumor_threshold,
        minimum_lesion_ml=manifest.minimum_lesion_ml,
    )
