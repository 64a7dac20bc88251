"""Every exported graph is held against torch."""

# ruff: noqa: PLC0415, ANN401 - torch is installed and typed only with the extra [convert]

from pathlib import Path
from typing import Any

import pytest

from engine.errors import ModelPackageError
from engine.model_package.foreign import AxisAdapter, ForeignNetwork
from tests.phantoms.packages import threshold_spec

pytestmark = pytest.mark.convert
FOREIGN = ForeignNetwork(
    spec=threshold_spec("segmenter", patch=(8, 8, 8), divisor=(4, 4, 4)), adapter=AxisAdapter()
)


def module_of(forward: Any) -> Any:
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = torch.nn.Conv3d(1, 2, 3, padding=1)

        def forward(self, image: Any) -> Any:
            return forward(self.convolution(image))

    torch.manual_seed(3)
    return Network().eval()


def test_a_plain_network_passes_with_a_small_difference(tmp_path: Path) -> None:
    from engine.model_package.torch_export import export

    assert export(module_of(lambda logits: logits), FOREIGN, tmp_path / "net.onnx") < 1e-5


def test_of_deep_supervision_the_first_output_is_taken(tmp_path: Path) -> None:
    from engine.model_package.torch_export import export

    network = module_of(lambda logits: [logits, logits[..., ::2]])
    assert export(network, FOREIGN, tmp_path / "net.onnx") < 1e-5


def test_a_graph_that_freezes_what_depends_on_the_input_is_refused(tmp_path: Path) -> None:
    """Tracing turns the mean of the trial image into a constant: parity must notice."""
    from engine.model_package.torch_export import export

    network = module_of(lambda logits: logits * float(logits.mean()))
    with pytest.raises(ModelPackageError, match="ONNX and torch differ"):
        export(network, FOREIGN, tmp_path / "net.onnx")


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    from engine.model_package.torch_export import load_checkpoint, load_script

    (tmp_path / "x.pth").write_bytes(b"nothing of the kind")
    with pytest.raises(ModelPackageError, match=r"x\.pth cannot be loaded as weights only"):
        load_checkpoint(tmp_path / "x.pth")
    with pytest.raises(ModelPackageError, match="not a TorchScript network"):
        load_script(tmp_path / "x.pth")
