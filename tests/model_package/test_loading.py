"""Packages are found by name, version or path, and verified before use."""

import shutil
from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.loading import embedded_models, find_package, load_package
from tests.phantoms.packages import write_threshold_package


def add_version(folder: Path, version: str) -> None:
    copy = folder.parent / version
    shutil.copytree(folder, copy)
    manifest = copy / "manifest.toml"
    manifest.write_text(manifest.read_text().replace('"1.0.0"', f'"{version}"'))


def test_a_package_loads_by_name_by_version_and_by_path(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path)
    packages = [
        load_package(name, search_paths=[tmp_path])
        for name in ("threshold", "threshold@1.0.0", folder)
    ]
    assert packages[0] == packages[1] == packages[2]
    assert packages[0].identity.limits == ("Marks whatever is bright.",)
    assert packages[0].folder == folder.resolve()


def test_the_newest_release_is_taken_by_version_order(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path)
    for version in ("1.10.0", "1.9.0", "2.0.0-rc.1"):
        add_version(folder, version)
    assert find_package("threshold", search_paths=[tmp_path]).name == "1.10.0"
    assert find_package("threshold@2.0.0-rc.1", search_paths=[tmp_path]).name == "2.0.0-rc.1"


def test_the_first_search_path_wins(tmp_path: Path) -> None:
    write_threshold_package(tmp_path / "a")
    write_threshold_package(tmp_path / "b")
    paths = [tmp_path / "absent", tmp_path / "b", tmp_path / "a"]
    assert find_package("threshold", search_paths=paths).is_relative_to(tmp_path / "b")


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    write_threshold_package(tmp_path)
    with pytest.raises(ModelPackageError, match="did you mean 'threshold'"):
        load_package("treshold", search_paths=[tmp_path])
    with pytest.raises(ModelPackageError, match="hepatocast model import"):
        load_package("threshold@3.0.0", search_paths=[tmp_path])


def test_a_tampered_package_does_not_load(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path)
    with (folder / "segmenter.onnx").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(ModelPackageError, match="was changed"):
        load_package("threshold", search_paths=[tmp_path])


def test_a_package_in_the_wrong_folder_does_not_load(tmp_path: Path) -> None:
    folder = write_threshold_package(tmp_path)
    folder.rename(folder.parent / "1.1.0")
    with pytest.raises(ModelPackageError, match=r"holds threshold 1\.0\.0"):
        load_package("threshold", search_paths=[tmp_path])


def test_the_embedded_folder_is_that_of_this_checkout() -> None:
    assert embedded_models() == Path(__file__).resolve().parents[2] / "models"
