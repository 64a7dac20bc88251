"""A MONAI bundle becomes a package."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from engine.errors import ModelPackageError
from engine.inference.session import open_session
from engine.model_package.loading import load_package
from engine.model_package.monai import import_monai, is_monai_bundle
from tests.phantoms.graphs import write_shift_graph
from tests.phantoms.monai_bundle import write_bundle
from tests.phantoms.packages import DRAFT


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    head, _, rest = DRAFT.partition("[[networks]]")
    path = tmp_path / "draft.toml"
    path.write_text(head + "[[segments]]" + rest.partition("[[segments]]")[2])
    return path


def test_a_bundle_with_an_onnx_network_is_turned_to_the_standard_axes(
    tmp_path: Path, manifest: Path
) -> None:
    folder = write_bundle(tmp_path)
    graph = write_shift_graph(folder / "models" / "model.onnx", names=("in.0", "out.0"), channels=3)
    assert is_monai_bundle(folder)
    package = load_package(import_monai(folder, manifest, tmp_path / "models"), search_paths=())
    image = np.random.default_rng(5).normal(size=(1, 1, 8, 12, 16)).astype(np.float32)
    found = open_session(package.folder / package.networks[0].file, device="cpu").run(image)
    as_monai = np.ascontiguousarray(np.flip(image, (3, 4)).transpose(0, 1, 4, 3, 2))
    logits = open_session(graph, device="cpu").run(as_monai)
    np.testing.assert_array_equal(found, np.flip(logits.transpose(0, 1, 4, 3, 2), (3, 4)))


@pytest.mark.convert
def test_a_bundle_with_a_torchscript_network_gives_its_logits(
    tmp_path: Path, manifest: Path
) -> None:
    import torch  # noqa: PLC0415 - installed only with the extra [convert]

    torch.manual_seed(6)
    network = torch.nn.Sequential(
        torch.nn.Conv3d(1, 4, (1, 3, 5), padding=(0, 1, 2)),
        torch.nn.PReLU(),
        torch.nn.Conv3d(4, 3, 1),
    ).eval()
    folder = write_bundle(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # bundles are still made this way
        traced = torch.jit.trace(network, torch.zeros(1, 1, 16, 12, 8))
    traced.save(str(folder / "models" / "model.ts"))
    package = load_package(import_monai(folder, manifest, tmp_path / "models"), search_paths=())
    image = np.random.default_rng(5).normal(size=(1, 1, 8, 12, 16)).astype(np.float32)
    found = open_session(package.folder / package.networks[0].file, device="cpu").run(image)
    as_monai = np.ascontiguousarray(np.flip(image, (3, 4)).transpose(0, 1, 4, 3, 2))
    with torch.no_grad():
        logits = network(torch.from_numpy(as_monai)).numpy()
    expected = np.flip(logits.transpose(0, 1, 4, 3, 2), (3, 4))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_bundle_without_an_exported_network_is_refused(tmp_path: Path, manifest: Path) -> None:
    folder = write_bundle(tmp_path)
    (folder / "models" / "model.pt").write_bytes(b"")
    with pytest.raises(ModelPackageError, match="ckpt_export"):
        import_monai(folder, manifest, tmp_path / "models")
    assert not (tmp_path / "models").exists()
