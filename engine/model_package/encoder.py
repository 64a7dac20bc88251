"""Encoder packages: ``kind = "encoder"`` in manifest.toml."""

import tomllib
from pathlib import Path

from engine.errors import ModelPackageError
from engine.model_package.checksums import file_sha256, package_sha256
from engine.model_package.header import read_header, verify_bound_files
from engine.model_package.manifest import MANIFEST_FILE, MANIFEST_FORMAT
from engine.model_package.table import Table
from engine.values.encoder import EncoderChannel, EncoderSpec

ENCODER = "encoder"
ONNX_NAME = "encoder.onnx"
DESCRIPTIVE = ("title", "intended_use", "population")


def load_encoder(folder: Path) -> EncoderSpec:
    """Read and verify an encoder package.

    Raises:
        ModelPackageError: Not an encoder's manifest, or a file is missing or was changed.
    """
    header = read_header(folder)
    if header.kind != ENCODER:
        raise ModelPackageError(f"{folder.name} is a package of kind {header.kind!r}, not encoder")
    verify_bound_files(folder, header)
    text = (folder / MANIFEST_FILE).read_text("utf-8")
    return parse_encoder(text, folder, package_sha256(folder))


def parse_encoder(text: str, folder: Path, sha256: str) -> EncoderSpec:
    """The [encoder] table of a manifest as a value.

    Args:
        text: TOML.
        folder: Where its file lies.
        sha256: Checksum of the package; a draft has none yet.

    Raises:
        ModelPackageError: Says the table, the key, what was needed and what was found.
    """
    try:
        root = Table(tomllib.loads(text), MANIFEST_FILE)
    except tomllib.TOMLDecodeError as error:
        raise ModelPackageError(f"{MANIFEST_FILE} is not TOML: {error}") from error
    if root.number("format") != MANIFEST_FORMAT:
        raise root.wrong(f"format must be {MANIFEST_FORMAT}")
    root.choice("kind", (ENCODER,))
    for key in DESCRIPTIVE:
        root.text(key)
    root.texts("limits")
    terms = root.table("license")
    license_text = terms.text("weights")
    terms.text("code")
    terms.texts("data")
    terms.finish()
    table = root.table("encoder")
    name, version = root.text("name"), root.text("version")
    root.finish()
    spec = _spec(table, (name, version, sha256, license_text), folder)
    table.finish()
    return spec


def _spec(table: Table, identity: tuple[str, str, str, str], folder: Path) -> EncoderSpec:
    name, version, sha256, license_text = identity
    table.text("architecture", "")
    table.text("sha256", "")
    spacing = table.numbers("spacing_mm", 3, positive=True)
    patch = table.integers("patch", count=3)
    return EncoderSpec(
        name=name,
        version=version,
        package_sha256=sha256,
        file=folder / table.path("file"),
        dimensions=int(table.number("dimensions", least=2)),
        input_name=table.text("input_name", "image"),
        layer=table.text("layer", "features"),
        layer_name=table.text("layer_name", "features"),
        channels=tuple(_channel(entry) for entry in table.tables("channels", at_least=1)),
        spacing_mm=(spacing[0], spacing[1], spacing[2]),
        patch=(patch[0], patch[1], patch[2]),
        license=license_text,
    )


def _channel(table: Table) -> EncoderChannel:
    low, high = table.numbers("window_hu", 2)
    channel = EncoderChannel(
        low_hu=low,
        high_hu=high,
        mean=table.number("mean", 0.0),
        deviation=table.number("deviation", 1.0, least=1e-6),
    )
    table.finish()
    return channel


def bind_file(text: str, file: Path) -> str:
    """The manifest with the checksum of its ONNX file in [encoder]."""
    lines = [line for line in text.splitlines() if not line.startswith("sha256")]
    at = lines.index("[encoder]") if "[encoder]" in lines else -1
    if at < 0:
        raise ModelPackageError(f"{MANIFEST_FILE}: a line [encoder] is needed")
    lines.insert(at + 1, f'sha256 = "{file_sha256(file)}"')
    return "\n".join(lines) + "\n"
