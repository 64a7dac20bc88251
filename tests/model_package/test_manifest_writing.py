"""A manifest survives writing and reading."""

from dataclasses import replace
from pathlib import Path

from engine.model_package.manifest import ReferenceCase
from engine.model_package.manifest_reading import parse_manifest, read_manifest
from engine.model_package.manifest_writing import render_manifest
from tests.phantoms.packages import write_threshold_package


def test_what_is_written_reads_back_as_the_same_value(tmp_path: Path) -> None:
    manifest = read_manifest(write_threshold_package(tmp_path))
    reference = ReferenceCase(file="reference/case.npz", description='A "made-up" box, 1 × 2 µm')
    full = replace(
        manifest, reference=reference, files={**manifest.files, reference.file: "0" * 64}
    )
    assert parse_manifest(render_manifest(full)) == full
    assert parse_manifest(render_manifest(manifest)) == manifest
