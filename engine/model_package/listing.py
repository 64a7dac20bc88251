"""What packages there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelPackageError
from engine.model_package.header import read_header
from engine.model_package.loading import package_folders
from engine.model_package.manifest import SEGMENTATION
from engine.model_package.manifest_reading import read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPackage:
    """One package folder.

    Attributes:
        kind: "segmentation", "risk", …; empty when the manifest cannot be used.
        problem: Why the manifest cannot be used; empty when it can. Checksums are not
            verified by a listing.
        intended_use: As the manifest says; empty when it cannot be used.
        limits: Likewise.
    """

    name: str
    version: str
    kind: str
    title: str
    folder: Path
    problem: str = ""
    intended_use: str = ""
    limits: tuple[str, ...] = ()


def list_packages(search_paths: Sequence[Path]) -> tuple[ListedPackage, ...]:
    """List every package below the search paths, in their order."""
    return tuple(_listed(folder) for root in search_paths for folder in package_folders(root))


def _listed(folder: Path) -> ListedPackage:
    kind, title, problem = "", "", ""
    intended_use = ""
    limits: tuple[str, ...] = ()
    try:
        header = read_header(folder)
        kind, title = header.kind, header.title
        intended_use, limits = header.intended_use, header.limits
        if kind == SEGMENTATION:
            read_manifest(folder)
    except ModelPackageError as error:
        problem = str(error)
    return ListedPackage(
        name=folder.parent.name,
        version=folder.name,
        kind=kind,
        title=title,
        folder=folder,
        problem=problem,
        intended_use=intended_use,
        limits=limits,
    )
