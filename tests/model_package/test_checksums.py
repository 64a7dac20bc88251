"""Every file of a package is held against its manifest."""

import hashlib
from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.checksums import file_sha256, package_sha256, verify_files
from engine.model_package.manifest_reading import read_manifest
from tests.phantoms.packages import write_threshold_package


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_threshold_package(tmp_path)


def test_an_untouched_package_passes(folder: Path) -> None:
    verify_files(folder, read_manifest(folder))


def test_one_changed_bit_is_found(folder: Path) -> None:
    manifest = read_manifest(folder)
    graph = folder / "segmenter.onnx"
    content = bytearray(graph.read_bytes())
    content[-1] ^= 1
    graph.write_bytes(content)
    with pytest.raises(ModelPackageError, match=r"segmenter\.onnx was changed"):
        verify_files(folder, manifest)


def test_a_missing_file_is_found(folder: Path) -> None:
    manifest = read_manifest(folder)
    (folder / "localizer.onnx").unlink()
    with pytest.raises(ModelPackageError, match=r"localizer\.onnx is missing"):
        verify_files(folder, manifest)


def test_a_file_that_nobody_listed_is_refused(folder: Path) -> None:
    (folder / "extra").mkdir()
    (folder / "extra" / "hook.py").write_text("")
    with pytest.raises(ModelPackageError, match=r"extra/hook\.py is not in the manifest"):
        verify_files(folder, read_manifest(folder))


def test_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    manifest = read_manifest(folder)
    (folder / "segmenter.onnx").rename(tmp_path / "elsewhere.onnx")
    (folder / "segmenter.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(ModelPackageError, match=r"segmenter\.onnx is a link"):
        verify_files(folder, manifest)


def test_the_package_checksum_is_that_of_the_manifest(folder: Path) -> None:
    text = (folder / "manifest.toml").read_bytes()
    assert package_sha256(folder) == hashlib.sha256(text).hexdigest()


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match=r"absent\.onnx cannot be read"):
        file_sha256(tmp_path / "absent.onnx")
