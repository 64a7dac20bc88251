# ruff: noqa: PLC0415 - torch is installed only with the extra [convert]
"""torchvision networks to ONNX: the same feature maps within 1e-5 (needs [convert])."""

from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.encoder import load_encoder
from engine.model_package.encoder_importing import import_encoder, try_encoder
from tests.model_package.test_encoder import MANIFEST

pytestmark = pytest.mark.convert
CHANNELS = {"vgg16": 512, "vgg19": 512, "resnet50": 2048, "shufflenet_v2_x1_0": 1024}
CHANNELS |= {"mobilenet_v2": 1280, "r3d_18": 512}
SOLID = ("r3d_18",)


def manifest(name: str) -> str:
    channel = MANIFEST[MANIFEST.index("[[encoder.channels]]") :]
    text = MANIFEST.replace('layer = "inner"', f'layer = "features"\narchitecture = "{name}"')
    text = text.replace("patch = [1, 16, 16]", "patch = [8, 64, 64]")
    if name in SOLID:
        text = text.replace("dimensions = 2", "dimensions = 3")
    return text + 2 * channel


def weights(name: str, folder: Path) -> Path:
    import torch

    from engine.model_package.encoder_architectures import ARCHITECTURES

    torch.manual_seed(1)
    state = dict(ARCHITECTURES[name]().state_dict())
    state["fc.weight"] = torch.zeros(7, 9)  # the classifier's, left out
    path = folder / f"{name}.pth"
    torch.save(state, path)
    return path


@pytest.mark.parametrize("name", sorted(CHANNELS))
def test_feature_maps_are_torchs(name: str, tmp_path: Path) -> None:
    """Any weights of the architecture; here drawn, because the real ones cannot be shipped."""
    from engine.model_package.torch_encoders import build, export

    path = tmp_path / "draft.toml"
    path.write_text(manifest(name), "utf-8")
    source = weights(name, tmp_path)
    spec = load_encoder(import_encoder(source, path, tmp_path / "models"))
    shape = try_encoder(spec)
    assert shape[:2] == (1, CHANNELS[name])
    assert export(build(name, source), spec, tmp_path / "again.onnx") <= 1e-5


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "draft.toml"
    path.write_text(manifest("resnet50"), "utf-8")
    with pytest.raises(ModelPackageError, match="does not fit"):
        import_encoder(weights("mobilenet_v2", tmp_path), path, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []
