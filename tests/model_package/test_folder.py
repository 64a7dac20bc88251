"""A package folder appears complete or not at all."""

from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.folder import write_package
from engine.model_package.manifest_reading import read_manifest
from engine.values.model import SegmentationPackage
from tests.phantoms.packages import write_threshold_package


def test_the_check_runs_before_the_package_can_be_seen(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path / "a")
    sources = {path.name: path for path in folder.glob("*.onnx")}
    destination = tmp_path / "b"

    def refuse(package: SegmentationPackage) -> None:
        assert package.identity.name == "threshold"
        assert not (destination / "threshold").exists()
        raise ModelPackageError("refused by the check")

    with pytest.raises(ModelPackageError, match="refused by the check"):
        write_package(read_manifest(folder), sources, destination, check=refuse)
    assert list(destination.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path / "a")
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelPackageError, match="Cannot write threshold"):
        write_package(
            read_manifest(folder), {}, tmp_path / "file" / "models", check=lambda _package: None
        )
