"""A compact 3D U-Net (Ronneberger 2015, doi:10.1007/978-3-319-24574-4_28; 3D: Çiçek 2016)."""

import itertools

import torch
from torch import nn
from torch.nn import functional


def block(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3×3×3 convolutions, each with instance normalization and leaky ReLU.

    One group per channel is instance normalization; this form trains faster on CPU.
    """
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv3d(channels, outputs, 3, padding=1, bias=False),
            nn.GroupNorm(outputs, outputs),
            nn.LeakyReLU(0.01, inplace=True),
        ]
    return nn.Sequential(*layers)


class CompactUNet(nn.Module):
    """U-Net with ``len(widths)`` levels; every spatial side a multiple of 2**(levels-1).

    Input (batch, 1, slice, row, column), output logits (batch, classes, slice, row, column).
    """

    def __init__(self, widths: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            block(i, o) for i, o in zip((1, *widths[:-1]), widths, strict=True)
        )
        self.reduce = nn.ModuleList(
            nn.Conv3d(deep, shallow, 1) for shallow, deep in itertools.pairwise(widths)
        )
        self.up = nn.ModuleList(block(2 * width, width) for width in widths[:-1])
        self.head = nn.Conv3d(widths[0], classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the same spatial size."""
        skips = []
        for level, down in enumerate(self.down):
            x = down(x if level == 0 else functional.max_pool3d(x, 2))
            skips.append(x)
        for level in reversed(range(len(self.up))):
            x = functional.interpolate(self.reduce[level](x), scale_factor=2, mode="nearest")
            x = self.up[level](torch.cat((skips[level], x), 1))
        return self.head(x)
