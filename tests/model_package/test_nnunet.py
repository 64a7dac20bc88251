"""A folder that nnU-Net v2 trained becomes a package whose ONNX graph equals torch."""

# ruff: noqa: PLC0415, ANN401 - torch is installed and typed only with the extra [convert]

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import ModelPackageError
from engine.inference.session import open_session
from engine.model_package.loading import load_package
from engine.model_package.nnunet import import_nnunet, is_nnunet_folder
from tests.phantoms.nnunet_folder import ARGUMENTS, write_nnunet_folder
from tests.phantoms.packages import DRAFT

pytestmark = pytest.mark.convert
IMPORTED = ("conv_op", "norm_op", "nonlin")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    head, _, rest = DRAFT.partition("[[networks]]")
    path = tmp_path / "draft.toml"
    path.write_text(head + "[[segments]]" + rest.partition("[[segments]]")[2])
    return path


def network_of(class_name: str, arguments: dict[str, Any]) -> Any:
    """The real architecture with random weights that matter in every layer."""
    import torch
    from dynamic_network_architectures.architectures import unet

    torch.manual_seed(5)
    resolved = {
        k: getattr(torch.nn, v.split(".")[-1]) for k, v in arguments.items() if k in IMPORTED
    }
    network = getattr(unet, class_name)(
        input_channels=1, num_classes=3, deep_supervision=True, **{**arguments, **resolved}
    )
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


def save_checkpoint(folder: Path, network: Any, *, prefix: str = "") -> None:
    """A checkpoint with the keys that nnUNetTrainer writes, numpy scalars in the log."""
    import torch

    (folder / "fold_0").mkdir()
    torch.save(
        {
            "network_weights": {prefix + k: v for k, v in network.state_dict().items()},
            "optimizer_state": None,
            "grad_scaler_state": None,
            "logging": {"ema_fg_dice": [np.float64(0.5)], "epoch_start_timestamps": [1.0]},
            "_best_ema": np.float64(0.5),
            "current_epoch": 1000,
            "init_args": {"configuration": "3d_fullres", "fold": 0},
            "trainer_name": "nnUNetTrainer",
            "inference_allowed_mirroring_axes": (0, 1, 2),
        },
        folder / "fold_0" / "checkpoint_final.pth",
    )


def logits_of(network: Any, image: np.ndarray) -> np.ndarray:
    import torch

    with torch.no_grad():
        return network(torch.from_numpy(np.ascontiguousarray(image)))[0].numpy()


RESIDUAL = {
    **{k: v for k, v in ARGUMENTS.items() if k != "n_conv_per_stage"},
    "n_blocks_per_stage": [1, 2, 2],
}


@pytest.mark.parametrize(
    ("class_name", "arguments", "prefix"),
    [
        ("PlainConvUNet", ARGUMENTS, ""),
        ("PlainConvUNet", ARGUMENTS, "_orig_mod."),
        ("ResidualEncoderUNet", RESIDUAL, "module."),
    ],
)
def test_the_package_gives_the_logits_of_torch(
    tmp_path: Path, manifest: Path, class_name: str, arguments: dict[str, Any], prefix: str
) -> None:
    network = network_of(class_name, arguments)
    configuration = {
        "spacing": [1.0, 0.77, 0.78],
        "patch_size": [8, 16, 24],
        "normalization_schemes": ["CTNormalization"],
        "architecture": {
            "network_class_name": f"dynamic_network_architectures.architectures.unet.{class_name}",
            "arch_kwargs": arguments,
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        },
    }
    folder = write_nnunet_folder(tmp_path, plans={"configurations": {"3d_fullres": configuration}})
    save_checkpoint(folder, network, prefix=prefix)
    assert is_nnunet_folder(folder)
    package = load_package(import_nnunet(folder, manifest, tmp_path / "models"), search_paths=())
    image = np.random.default_rng(1).normal(size=(1, 1, 8, 16, 24)).astype(np.float32)
    found = open_session(package.folder / package.networks[0].file, device="cpu").run(image)
    expected = logits_of(network, image)
    np.testing.assert_allclose(found, expected, atol=1e-4 * max(1, np.abs(expected).max()))


def test_a_transposed_and_reoriented_network_is_turned_to_the_standard_axes(
    tmp_path: Path, manifest: Path
) -> None:
    network = network_of("PlainConvUNet", ARGUMENTS)
    folder = write_nnunet_folder(
        tmp_path,
        plans={"transpose_forward": [2, 0, 1], "image_reader_writer": "NibabelIOWithReorient"},
    )
    save_checkpoint(folder, network)
    package = load_package(import_nnunet(folder, manifest, tmp_path / "models"), search_paths=())
    image = np.random.default_rng(2).normal(size=(1, 1, 16, 24, 8)).astype(np.float32)
    found = open_session(package.folder / package.networks[0].file, device="cpu").run(image)
    as_nnunet = np.flip(image, (3, 4)).transpose(0, 1, 4, 2, 3)
    expected = np.flip(logits_of(network, as_nnunet).transpose(0, 1, 3, 4, 2), (3, 4))
    np.testing.assert_allclose(found, expected, atol=1e-4 * max(1, np.abs(expected).max()))


def test_weights_of_another_network_are_refused(tmp_path: Path, manifest: Path) -> None:
    folder = write_nnunet_folder(tmp_path)
    save_checkpoint(
        folder, network_of("PlainConvUNet", {**ARGUMENTS, "features_per_stage": [4, 8, 16]})
    )
    with pytest.raises(ModelPackageError, match=r"checkpoint_final\.pth does not fit plans\.json"):
        import_nnunet(folder, manifest, tmp_path / "models")
    assert not (tmp_path / "models").exists()


class Payload:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """Ask the unpickler to raise the alarm."""
        return (exec, ("raise SystemExit('code in the checkpoint was run')",))


def test_code_in_a_checkpoint_is_never_run(tmp_path: Path, manifest: Path) -> None:
    import torch

    folder = write_nnunet_folder(tmp_path)
    (folder / "fold_0").mkdir()
    torch.save({"network_weights": Payload()}, folder / "fold_0" / "checkpoint_final.pth")
    with pytest.raises(ModelPackageError, match="weights only"):
        import_nnunet(folder, manifest, tmp_path / "models")


def test_a_training_without_final_checkpoint_is_refused(tmp_path: Path, manifest: Path) -> None:
    with pytest.raises(ModelPackageError, match="wait until training is over"):
        import_nnunet(write_nnunet_folder(tmp_path), manifest, tmp_path / "models")
