"""manifest.toml → Manifest; anything unclear is refused with its place in the file."""

import re
import tomllib
from pathlib import Path

from engine.errors import ModelPackageError
from engine.model_package.manifest import (
    MANIFEST_FILE,
    MANIFEST_FORMAT,
    SEGMENTATION,
    Evaluation,
    Licenses,
    Manifest,
    ReferenceCase,
)
from engine.model_package.network_reading import read_networks
from engine.model_package.table import Table, is_plain_path
from engine.model_package.version import precedence
from engine.values.identity import ContrastPhase
from engine.values.model import CodedSegment, InputCriteria

NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{1,62}")
SHA256_PATTERN = re.compile(r"[0-9a-f]{64}")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a package folder; checksums are not verified here.

    Raises:
        ModelPackageError: No manifest, not TOML, or not as the schema wants it.
    """
    path = folder / MANIFEST_FILE
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelPackageError(
            f"{folder.name}: no readable {MANIFEST_FILE} ({type(error).__name__}); "
            "a package is a folder with a manifest.toml in UTF-8"
        ) from error
    return parse_manifest(text)


def parse_manifest(text: str, *, draft: bool = False) -> Manifest:
    """Parse and check the text of a manifest.

    Args:
        text: TOML.
        draft: True for what an import starts from: [files] is not there yet, and
            [[networks]] may be missing when the import finds them out itself.

    Raises:
        ModelPackageError: Says the table, the key, what was needed and what was found.
    """
    root = _open_root(text)
    files = {} if draft else root.text_map("files")
    postprocessing = root.table("postprocessing")
    reference = root.optional_table("reference")
    manifest = Manifest(
        name=_name(root),
        version=_version(root),
        title=root.text("title"),
        intended_use=root.text("intended_use"),
        population=root.text("population"),
        limits=root.texts("limits"),
        licenses=_licenses(root.table("license")),
        criteria=_criteria(root.table("input")),
        networks=read_networks(root, files, may_be_missing=draft),
        segments=tuple(_segment(table) for table in root.tables("segments", at_least=1)),
        tumor_threshold=postprocessing.number("tumor_threshold", 0.5, least=0.0),
        minimum_lesion_ml=postprocessing.number("minimum_lesion_ml", 0.1, least=0.0),
        evaluation=tuple(_evaluation(table) for table in root.tables("evaluation")),
        reference=None if reference is None else _reference(reference),
        files=files,
    )
    postprocessing.finish()
    root.finish()
    if not draft:
        _check_files(manifest, root)
    return manifest


def _open_root(text: str) -> Table:
    try:
        root = Table(tomllib.loads(text), MANIFEST_FILE)
    except tomllib.TOMLDecodeError as error:
        raise ModelPackageError(f"{MANIFEST_FILE} is not TOML: {error}") from error
    if root.number("format") != MANIFEST_FORMAT:
        raise root.wrong(f"format must be {MANIFEST_FORMAT}; update HepatoCast or the package")
    root.choice("kind", (SEGMENTATION,))
    return root


def _name(root: Table) -> str:
    name = root.text("name")
    if not NAME_PATTERN.fullmatch(name):
        raise root.wrong(f"name must be lower-case letters, digits and _, found {name!r}")
    return name


def _version(root: Table) -> str:
    version = root.text("version")
    precedence(version)
    return version


def _licenses(table: Table) -> Licenses:
    licenses = Licenses(
        code=table.text("code"), weights=table.text("weights"), data=table.texts("data")
    )
    table.finish()
    return licenses


def _criteria(table: Table) -> InputCriteria:
    default = InputCriteria()
    names = table.texts("phases", tuple(phase.value for phase in default.phases))
    known = {phase.value: phase for phase in ContrastPhase}
    for name in names:
        if name not in known:
            raise table.wrong(f"phase {name!r} is unknown; known: {', '.join(known)}")
    criteria = InputCriteria(
        modality=table.text("modality", default.modality),
        phases=tuple(known[name] for name in names),
        maximum_slice_mm=table.number("maximum_slice_mm", default.maximum_slice_mm, least=0),
        minimum_slices=int(table.number("minimum_slices", default.minimum_slices, least=1)),
        minimum_coverage_mm=table.number(
            "minimum_coverage_mm", default.minimum_coverage_mm, least=0
        ),
    )
    table.finish()
    return criteria


def _segment(table: Table) -> CodedSegment:
    rgb = table.integers("rgb", count=3)
    if max(rgb) > 255:
        raise table.wrong(f"rgb must be 0..255, found {rgb}")
    segment = CodedSegment(
        label=int(table.number("label", least=1)),
        name=table.text("name"),
        category_code=table.text("category_code"),
        category_meaning=table.text("category_meaning"),
        type_code=table.text("type_code"),
        type_meaning=table.text("type_meaning"),
        rgb=(rgb[0], rgb[1], rgb[2]),
    )
    table.finish()
    return segment


def _evaluation(table: Table) -> Evaluation:
    bounds = table.optional_table("bounds")
    evaluation = Evaluation(
        data=table.text("data"),
        cases=int(table.number("cases", least=1)),
        measure=table.text("measure"),
        value=table.number("value"),
        lower=None if bounds is None else bounds.number("lower"),
        upper=None if bounds is None else bounds.number("upper"),
        interval="" if bounds is None else bounds.text("interval"),
    )
    if bounds is not None:
        bounds.finish()
    table.finish()
    return evaluation


def _reference(table: Table) -> ReferenceCase:
    reference = ReferenceCase(
        file=table.path("file"),
        description=table.text("description"),
        minimum_dice=table.number("minimum_dice", 0.98, least=0.0),
        volume_tolerance=table.number("volume_tolerance", 0.02, least=0.0),
    )
    table.finish()
    return reference


def _check_files(manifest: Manifest, root: Table) -> None:
    for path, sha256 in manifest.files.items():
        if not is_plain_path(path):
            raise root.wrong(f"[files] {path!r} must be a plain path inside the package")
        if not SHA256_PATTERN.fullmatch(sha256):
            raise root.wrong(f"[files] {path!r} needs 64 lower-case hex digits, found {sha256!r}")
    needed = [network.file for network in manifest.networks]
    needed += [manifest.reference.file] if manifest.reference else []
    for path in needed:
        if path not in manifest.files:
            raise root.wrong(f"[files] lacks {path!r}, which the manifest uses")
