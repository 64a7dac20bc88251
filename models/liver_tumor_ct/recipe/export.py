"""Export a checkpoint to ONNX (opset 17, free batch and spatial axes) and check its parity.

python export.py segmenter IN.pt OUT.onnx
"""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from network import CompactUNet
from train import SETTINGS

TOLERANCE = 1e-3


def main() -> None:
    """Write the graph; fail when onnxruntime and PyTorch differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=sorted(SETTINGS))
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    settings = SETTINGS[arguments.role]
    model = CompactUNet(settings["widths"], 2 if arguments.role == "localizer" else 3)
    model.load_state_dict(torch.load(arguments.weights, weights_only=True))
    model.eval()
    example = torch.randn(1, 1, *settings["patch"], generator=torch.Generator().manual_seed(0))
    axes = {0: "batch", 2: "slice", 3: "row", 4: "column"}
    torch.onnx.export(
        model,
        (example,),
        arguments.out,
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": axes, "logits": axes},
        opset_version=17,
        dynamo=False,
    )
    session = onnxruntime.InferenceSession(arguments.out, providers=["CPUExecutionProvider"])
    for shape in (settings["patch"], tuple(side // 2 for side in settings["patch"])):
        image = torch.randn(1, 1, *shape, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            expected = model(image).numpy()
        found = session.run(None, {"image": image.numpy()})[0]
        gap = float(np.abs(found - expected).max())
        print(f"{shape}: largest difference {gap:.2e}")
        if gap > TOLERANCE:
            raise SystemExit("onnxruntime and PyTorch differ")


if __name__ == "__main__":
    main()
