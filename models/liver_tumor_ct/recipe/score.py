"""Score a checkpoint on the prepared grids (quick look while training).

python score.py localizer DATA IN.pt [--split validation] [--folder localizer]
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from network import CompactUNet
from train import SETTINGS


def predict(
    model: torch.nn.Module, image: torch.Tensor, patch: tuple[int, int, int]
) -> torch.Tensor:
    """Average of the class probabilities over half-overlapping windows."""
    pads = [max(0, p - s) for p, s in zip(patch, image.shape, strict=True)]
    flat = [v for pad in reversed(pads) for v in (0, pad)]
    padded = torch.nn.functional.pad(image, flat, value=-1.0)
    total, weight = None, torch.zeros(padded.shape)
    starts = [
        sorted({*range(0, s - p + 1, p // 2), s - p})
        for s, p in zip(padded.shape, patch, strict=True)
    ]
    axes = [torch.exp(-(((torch.arange(p) - (p - 1) / 2) / (p / 4)) ** 2) / 2) for p in patch]
    window = axes[0][:, None, None] * axes[1][:, None] * axes[2]
    for i in starts[0]:
        for j in starts[1]:
            for k in starts[2]:
                cut = (slice(i, i + patch[0]), slice(j, j + patch[1]), slice(k, k + patch[2]))
                with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
                    p = model(padded[cut][None, None])[0].float().softmax(0)
                if total is None:
                    total = torch.zeros((p.shape[0], *padded.shape))
                total[(slice(None), *cut)] += p * window
                weight[cut] += window
    result = total / weight
    return result[:, : image.shape[0], : image.shape[1], : image.shape[2]]


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """2|A∩B| / (|A| + |B|)."""
    return float(2 * (first & second).sum() / max(1, first.sum() + second.sum()))


def main() -> None:
    """Print liver and tumor Dice per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role")
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--pattern", default="validation_*.npz")
    arguments = parser.parse_args()
    settings = SETTINGS[arguments.role]
    classes = 2 if arguments.role == "localizer" else 3
    model = CompactUNet(settings["widths"], classes)
    model.load_state_dict(torch.load(arguments.weights, weights_only=True))
    model.eval()
    for path in sorted((arguments.data / arguments.role).glob(arguments.pattern)):
        stored = np.load(path)
        image = (torch.from_numpy(stored["hu"]).float().clamp(-160, 240) - 40) / 200
        p = predict(model, image, settings["patch"])
        label, liver = stored["label"], (1 - p[0] > 0.5).numpy()
        line = f"{path.stem} liver {dice(liver, label > 0):.4f}"
        if classes > 2 and bool(stored["marked"]):
            tumor = (p[2] > 0.5).numpy() & liver
            line += f" tumor {dice(tumor, label == 2):.3f} "
            line += f"true {(label == 2).sum()} found {tumor.sum()}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
