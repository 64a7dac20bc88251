"""Risk manifests: what is accepted and what is refused."""

import shutil
from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.prognosis.manifest import load_risk_package


@pytest.fixture
def copy(package_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(package_folder, tmp_path / "copy"))


def test_a_written_package_loads(package_folder: Path) -> None:
    """What packaging writes, loading reads."""
    package = load_risk_package(package_folder)
    assert package.identity.name == "test_risk"
    assert package.times_months == (6.0, 12.0, 24.0)
    assert [m.name for m in package.models] == ["full", "age and AFP"]
    assert package.predictor("afp_high").lower == 10


def test_a_changed_graph_is_refused(copy: Path) -> None:
    """One changed byte is found by the checksum."""
    graph = copy / "full.onnx"
    content = bytearray(graph.read_bytes())
    content[-1] ^= 1
    graph.write_bytes(bytes(content))
    with pytest.raises(ModelPackageError, match=r"full\.onnx was changed"):
        load_risk_package(copy)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match=r"No manifest\.toml"):
        load_risk_package(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "risk"', 'kind = "segmentation"', 'needs format = 1 and kind = "risk"'),
        ("times_months = [6.0, 12.0, 24.0]", "times_months = [12.0, 6.0]", "ascending"),
        ('required = ["afp_high", "number"]', 'required = ["weight"]', "no inputs of it"),
        ('file = "full.onnx"', 'file = "../full.onnx"', "plain file name"),
        ("lower = 10", "lower = 50", "ramp needs"),
        ('source = "burden"', 'source = "guess"', "not a valid risk manifest"),
        ("format = 1", "format = [", "cannot be read"),
    ],
)
def test_a_wrong_manifest_is_refused_with_the_place(
    copy: Path, old: str, new: str, message: str
) -> None:
    path = copy / "manifest.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ModelPackageError, match=message):
        load_risk_package(copy)
