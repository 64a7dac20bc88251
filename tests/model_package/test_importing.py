"""ONNX files and a manifest become a package, or nothing at all."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import ModelPackageError
from engine.model_package.importing import import_onnx
from engine.model_package.loading import load_package
from tests.phantoms.graphs import write_threshold_graph
from tests.phantoms.packages import DRAFT


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    write_threshold_graph(folder / "localizer.onnx", (60.0,))
    write_threshold_graph(folder / "segmenter.onnx", (60.0, 150.0))
    (folder / "draft.toml").write_text(DRAFT)
    return folder


def only_segmenter() -> str:
    first, second = DRAFT.index("[[networks]]"), DRAFT.rindex("[[networks]]")
    return DRAFT[:first] + DRAFT[second:]


def test_a_folder_of_graphs_becomes_a_package_that_loads(source: Path, tmp_path: Path) -> None:
    (source / "MODEL_CARD.md").write_text("# Threshold")
    folder = import_onnx(source, source / "draft.toml", tmp_path / "models")
    assert folder == tmp_path / "models" / "threshold" / "1.0.0"
    assert {p.name for p in folder.iterdir()} == {
        *("manifest.toml", "localizer.onnx", "segmenter.onnx", "MODEL_CARD.md")
    }
    package = load_package("threshold", search_paths=[tmp_path / "models"])
    assert [spec.role for spec in package.networks] == ["localizer", "segmenter"]


def test_one_graph_may_have_any_file_name(source: Path, tmp_path: Path) -> None:
    (source / "draft.toml").write_text(only_segmenter())
    any_name = (source / "segmenter.onnx").rename(source / "net-final(2).onnx")
    folder = import_onnx(any_name, source / "draft.toml", tmp_path / "models")
    assert (folder / "segmenter.onnx").is_file()


def test_a_reference_case_travels_with_the_package(source: Path, tmp_path: Path) -> None:
    (source / "reference").mkdir()
    np.savez(source / "reference" / "case.npz", x=np.zeros(1))
    reference = '\n[reference]\nfile = "reference/case.npz"\ndescription = "a box"\n'
    (source / "draft.toml").write_text(DRAFT + reference)
    folder = import_onnx(source, source / "draft.toml", tmp_path / "models")
    assert (folder / "reference" / "case.npz").is_file()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("channels = [0, 1, 2]", "channels = [0, 1]", r"float32 \(1, 2, slice"),
        ('input_name = "image"', 'input_name = "ct"', "one input 'ct' needed"),
        ('file = "segmenter.onnx"', 'file = "absent.onnx"', r"absent\.onnx named in the manifest"),
        ('version = "1.0.0"', 'version = "1"', "SemVer"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(
    source: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    (source / "draft.toml").write_text(DRAFT.replace(old, new))
    with pytest.raises(ModelPackageError, match=message):
        import_onnx(source, source / "draft.toml", tmp_path / "models")
    assert not list((tmp_path / "models").rglob("*"))


def test_a_graph_whose_output_is_smaller_than_its_input_is_refused(
    source: Path, tmp_path: Path
) -> None:
    write_threshold_graph(source / "segmenter.onnx", (60.0, 150.0), stride=2)
    with pytest.raises(ModelPackageError, match=r"finite logits \(1, 3, 16, 16, 16\) needed"):
        import_onnx(source, source / "draft.toml", tmp_path / "models")


def test_a_graph_with_nan_weights_is_refused(source: Path, tmp_path: Path) -> None:
    write_threshold_graph(source / "segmenter.onnx", (60.0, float("nan")))
    with pytest.raises(ModelPackageError, match="NaN"):
        import_onnx(source, source / "draft.toml", tmp_path / "models")


def test_a_version_is_never_overwritten(source: Path, tmp_path: Path) -> None:
    import_onnx(source, source / "draft.toml", tmp_path / "models")
    with pytest.raises(ModelPackageError, match="raise the version"):
        import_onnx(source, source / "draft.toml", tmp_path / "models")


def test_two_networks_need_a_folder(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match="give the folder"):
        import_onnx(source / "segmenter.onnx", source / "draft.toml", tmp_path / "models")


def test_a_missing_manifest_is_named(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match=r"absent\.toml cannot be read"):
        import_onnx(source, source / "absent.toml", tmp_path / "models")
