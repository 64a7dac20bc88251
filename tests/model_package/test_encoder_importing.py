"""From an ONNX file to an encoder package."""

from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.commands import import_command, list_command, verify_command
from engine.model_package.encoder import load_encoder
from engine.model_package.encoder_importing import import_encoder, try_encoder
from tests.deep_features.conftest import pooled_identity
from tests.model_package.test_encoder import MANIFEST


def draft(folder: Path, text: str = MANIFEST) -> Path:
    path = folder / "draft.toml"
    path.write_text(text, "utf-8")
    (folder / "MODEL_CARD.md").write_text("# Tiny\n", "utf-8")
    return path


def test_an_onnx_file_becomes_a_package_that_lists_and_verifies(tmp_path: Path) -> None:
    graph = pooled_identity(tmp_path / "graph.onnx", 1, 2)
    said = import_command(graph, draft(tmp_path), tmp_path / "models")
    folder = tmp_path / "models" / "tiny" / "1.0.0"
    assert str(folder) in said.text
    assert (folder / "MODEL_CARD.md").is_file()
    assert try_encoder(load_encoder(folder)) == (1, 1, 8, 8)
    assert "encoder: A tiny encoder" in list_command([tmp_path / "models"]).text
    checked = verify_command("tiny", [tmp_path / "models"], lambda _package: ((), ""))
    assert checked.exit_code == 0


def test_a_layer_that_is_missing_leaves_nothing_behind(tmp_path: Path) -> None:
    graph = pooled_identity(tmp_path / "graph.onnx", 1, 2)
    text = MANIFEST.replace('layer = "inner"', 'layer = "nowhere"')
    with pytest.raises(ModelPackageError):
        import_encoder(graph, draft(tmp_path, text), tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_version_is_never_replaced(tmp_path: Path) -> None:
    graph = pooled_identity(tmp_path / "graph.onnx", 1, 2)
    import_encoder(graph, draft(tmp_path), tmp_path / "models")
    with pytest.raises(ModelPackageError, match="raise the version"):
        import_encoder(graph, draft(tmp_path), tmp_path / "models")
