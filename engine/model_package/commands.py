"""What ``hepatocast model list|show|verify|import`` do; the command line only prints it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelPackageError
from engine.model_package.encoder_importing import import_encoder, is_encoder_manifest
from engine.model_package.header import PackageHeader, read_header, verify_bound_files
from engine.model_package.importing import import_onnx
from engine.model_package.listing import list_packages
from engine.model_package.loading import find_package, load_package
from engine.model_package.manifest import SEGMENTATION, Evaluation, Manifest
from engine.model_package.manifest_reading import read_manifest
from engine.model_package.monai import import_monai, is_monai_bundle
from engine.model_package.nnunet import import_nnunet, is_nnunet_folder
from engine.model_package.reference import LabelAgreement
from engine.values.model import NetworkSpec, SegmentationPackage

SelfTest = Callable[[SegmentationPackage], tuple[tuple[LabelAgreement, ...], str]]
"""Runs the reference case (engine.self_test.run_reference_case); gives what each label showed
and where it ran. It is handed in, because a room does not import the order of the stages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a command prints and how it exits."""

    text: str
    exit_code: int = 0


def list_command(search_paths: Sequence[Path]) -> CommandResult:
    """List the packages; a package with an unusable manifest says why (exit code 1)."""
    packages = list_packages(search_paths)
    if not packages:
        places = ", ".join(str(path) for path in search_paths)
        return CommandResult(text=f"No model packages in {places}")
    width = max(len(f"{p.name} {p.version}") for p in packages)
    lines = [
        f"{f'{p.name} {p.version}':<{width}}  "
        + (f"unusable: {p.problem}" if p.problem else f"{p.kind}: {p.title}")
        for p in packages
    ]
    return CommandResult(
        text="\n".join(lines), exit_code=1 if any(p.problem for p in packages) else 0
    )


def show_command(name_or_path: str, search_paths: Sequence[Path]) -> CommandResult:
    """Show a package's manifest for people.

    Raises:
        ModelPackageError: No such package, or its manifest cannot be used.
    """
    folder = find_package(name_or_path, search_paths=search_paths)
    header = read_header(folder)
    if header.kind == SEGMENTATION:
        return CommandResult(text="\n".join(_described(read_manifest(folder), folder)))
    lines = [
        f"{header.name} {header.version}: {header.title} ({header.kind})",
        f"folder        {folder}",
        f"intended use  {header.intended_use}",
        *(f"limit         {limit}" for limit in header.limits),
        *(f"file          {name}, SHA-256 {sha[:12]}…" for name, sha in header.checksums.items()),
    ]
    return CommandResult(text="\n".join(lines))


def verify_command(
    name_or_path: str, search_paths: Sequence[Path], run_self_test: SelfTest
) -> CommandResult:
    """Check every checksum and run the reference case (exit code 1 outside its tolerance).

    Of a package that is not for segmentation the checksums are checked, and the text says
    that no reference case was run.

    Raises:
        ModelPackageError: A file is missing, changed or unknown, or there is no
            reference case.
    """
    folder = find_package(name_or_path, search_paths=search_paths)
    header = read_header(folder)
    if header.kind != SEGMENTATION:
        return _verify_bound(folder, header)
    package = load_package(name_or_path, search_paths=search_paths)
    manifest = read_manifest(package.folder)
    agreements, device = run_self_test(package)
    passed = all(a.passed for a in agreements)
    lines = [
        f"{manifest.name} {manifest.version}",
        f"checksums        {len(manifest.files)} files as in the manifest",
        f"reference case   {device}",
    ]
    for a in agreements:
        verdict = "within tolerance" if a.passed else "OUTSIDE TOLERANCE"
        lines.append(
            f"  {a.name:<14} Dice {a.dice:.4f}, {a.found_ml:.2f} mL "
            f"(expected {a.expected_ml:.2f} mL): {verdict}"
        )
    lines.append("verified" if passed else "not verified: this machine gives other masks")
    return CommandResult(text="\n".join(lines), exit_code=0 if passed else 1)


def _verify_bound(folder: Path, header: PackageHeader) -> CommandResult:
    verify_bound_files(folder, header)
    lines = [
        f"{header.name} {header.version}",
        f"checksums        {len(header.checksums)} files as in the manifest",
        f"reference case   not run for packages of kind {header.kind!r}",
        "checksums verified",
    ]
    return CommandResult(text="\n".join(lines))


def import_command(source: Path, manifest: Path, destination: Path) -> CommandResult:
    """Import an ONNX file or folder, an nnU-Net v2 trained folder, or a MONAI bundle.

    Raises:
        ModelPackageError: The source or the manifest is not right; nothing is written.
    """
    if not source.exists():
        raise ModelPackageError(f"{source.name} does not exist; give an ONNX file or a folder")
    if is_encoder_manifest(manifest):
        kind, folder = "encoder", import_encoder(source, manifest, destination)
    elif is_nnunet_folder(source):
        kind, folder = "nnU-Net v2 folder", import_nnunet(source, manifest, destination)
    elif is_monai_bundle(source):
        kind, folder = "MONAI bundle", import_monai(source, manifest, destination)
    else:
        kind, folder = "ONNX", import_onnx(source, manifest, destination)
    return CommandResult(text=f"Imported {kind} to {folder}")


def _described(manifest: Manifest, folder: Path) -> list[str]:
    criteria, licenses = manifest.criteria, manifest.licenses
    lines = [
        f"{manifest.name} {manifest.version}: {manifest.title}",
        f"folder        {folder}",
        f"intended use  {manifest.intended_use}",
        f"population    {manifest.population}",
        *(f"limit         {limit}" for limit in manifest.limits),
        f"licenses      code {licenses.code}; weights {licenses.weights}",
        *(f"trained on    {data}" for data in licenses.data),
        f"input         {criteria.modality}, slices of at most {criteria.maximum_slice_mm:g} mm, "
        f"at least {criteria.minimum_slices} over {criteria.minimum_coverage_mm:g} mm",
        f"phases        {', '.join(phase.value for phase in criteria.phases)}",
    ]
    lines += [_network_line(spec) for spec in manifest.networks]
    lines += [
        f"segment {s.label}     {s.name} ({s.type_code} {s.type_meaning})"
        for s in manifest.segments
    ]
    lines += [_evaluation_line(entry) for entry in manifest.evaluation]
    if manifest.reference is not None:
        lines.append(f"reference     {manifest.reference.description}")
    return lines


def _network_line(spec: NetworkSpec) -> str:
    spacing = " × ".join(f"{mm:g}" for mm in spec.spacing_mm)
    patch = " × ".join(map(str, spec.patch))
    low, high = spec.window_hu
    return (
        f"{spec.role:<13} {spec.file}: {spacing} mm, window {patch}, {low:g} to {high:g} HU, "
        f"SHA-256 {spec.sha256[:12]}…"
    )


def _evaluation_line(entry: Evaluation) -> str:
    bounds = ""
    if entry.lower is not None and entry.upper is not None:
        bounds = f" ({entry.interval} {entry.lower:g} to {entry.upper:g})"
    return f"evaluation    {entry.measure}: {entry.value:g}{bounds}, {entry.data}, n={entry.cases}"
