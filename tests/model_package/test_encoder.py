"""Manifests of encoder packages."""

from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.encoder import bind_file, load_encoder, parse_encoder

MANIFEST = """
format = 1
kind = "encoder"
name = "tiny"
version = "1.0.0"
title = "A tiny encoder"
intended_use = "Research: a test."
population = "None."
limits = ["Knows nothing."]

[license]
code = "Apache-2.0"
weights = "CC0-1.0"
data = ["none"]

[encoder]
file = "encoder.onnx"
dimensions = 2
layer = "inner"
spacing_mm = [1.0, 1.0, 1.0]
patch = [1, 16, 16]

[[encoder.channels]]
window_hu = [-160.0, 240.0]
mean = 0.4
deviation = 0.2
"""


def package(folder: Path) -> Path:
    folder.mkdir()
    (folder / "encoder.onnx").write_bytes(b"graph")
    text = bind_file(MANIFEST, folder / "encoder.onnx")
    (folder / "manifest.toml").write_text(text, "utf-8")
    return folder


def test_a_package_reads_back_with_channels_license_and_checksum(tmp_path: Path) -> None:
    spec = load_encoder(package(tmp_path / "tiny"))
    assert (spec.name, spec.dimensions, spec.layer, spec.patch) == ("tiny", 2, "inner", (1, 16, 16))
    assert (spec.channels[0].mean, spec.channels[0].deviation) == (0.4, 0.2)
    assert spec.license == "CC0-1.0"
    assert len(spec.package_sha256) == 64


def test_a_changed_graph_is_refused(tmp_path: Path) -> None:
    folder = package(tmp_path / "tiny")
    (folder / "encoder.onnx").write_bytes(b"other")
    with pytest.raises(ModelPackageError, match="was changed"):
        load_encoder(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dimensions = 2", "dimensions = 4", "dimensions"),
        ('layer = "inner"', 'layer = "inner"\nlayers = 3', "layers"),
        ("window_hu = [-160.0, 240.0]", "window_hu = [240.0, -160.0]", "low_hu < high_hu"),
        ('kind = "encoder"', 'kind = "risk"', "kind"),
        ("patch = [1, 16, 16]", "patch = [16, 16]", "patch"),
    ],
)
def test_what_is_unclear_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ModelPackageError, match=message):
        parse_encoder(MANIFEST.replace(old, new), tmp_path, "")


def test_the_draft_in_the_readme_is_one(tmp_path: Path) -> None:
    """What users copy must parse."""
    readme = Path(__file__).parents[2] / "models" / "README.md"
    draft = readme.read_text("utf-8").split("```toml\n")[1].split("```")[0]
    spec = parse_encoder(draft, tmp_path, "")
    assert (spec.name, spec.dimensions, len(spec.channels)) == ("vgg16_three_windows", 2, 3)
