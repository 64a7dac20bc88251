"""Encoders up to their last feature map, with the parameter names of published weights.

The names are those of torchvision's state_dicts, so that its files and every file saved in that
form load; torchvision itself is not needed (its wheels need the very torch they were built for).
VGG: Simonyan 2014, arXiv:1409.1556. ResNet: He 2016, doi:10.1109/CVPR.2016.90, with the stride in
the 3 × 3 convolution. MobileNetV2: Sandler 2018, doi:10.1109/CVPR.2018.00474. ShuffleNet v2:
Ma 2018, doi:10.1007/978-3-030-01264-9_8. 3D ResNet: Tran 2018, doi:10.1109/CVPR.2018.00675.
"""

from collections.abc import Callable

import torch
from torch import nn

VGG_WIDTHS = (64, 128, 256, 512, 512)
RESNET50_BLOCKS = (3, 4, 6, 3)
MOBILE_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, blocks, stride of the first block."""
SHUFFLE_STAGES = ((116, 4), (232, 8), (464, 4))


class Vgg(nn.Module):  # type: ignore[misc] # torch ships no types here
    """Stacks of 3 × 3 convolutions, each stack followed by a maximum."""

    def __init__(self, depths: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width, depth in zip(VGG_WIDTHS, depths, strict=True):
            for _ in range(depth):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
                before = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(batch, 512, rows / 32, columns / 32)."""
        return self.features(image)


class Bottleneck(nn.Module):  # type: ignore[misc]
    """1 × 1, 3 × 3, 1 × 1 convolutions around a shortcut."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        after = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(before, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, after, 1, bias=False), nn.BatchNorm2d(after)
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the shortcut before the last activation."""
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(torch.relu(self.bn2(self.conv2(y)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):  # type: ignore[misc]
    """Four stages of bottlenecks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1, self.maxpool = nn.BatchNorm2d(64), nn.MaxPool2d(3, 2, 1)
        before = 64
        for stage, blocks in enumerate(RESNET50_BLOCKS):
            width, stride = 64 << stage, 1 if stage == 0 else 2
            layers = [Bottleneck(before, width, stride)]
            layers += [Bottleneck(4 * width, width, 1) for _ in range(blocks - 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
            before = 4 * width

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(batch, 2048, rows / 32, columns / 32)."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(image))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def _convolve(before: int, after: int, size: int, stride: int, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU6(),
    )


class InvertedResidual(nn.Module):  # type: ignore[misc]
    """Widen, filter each channel, narrow."""

    def __init__(self, before: int, after: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = before * expansion
        layers: list[nn.Module] = [] if expansion == 1 else [_convolve(before, inner, 1, 1)]
        layers += [_convolve(inner, inner, 3, stride, inner)]
        layers += [nn.Conv2d(inner, after, 1, bias=False), nn.BatchNorm2d(after)]
        self.conv, self.adds = nn.Sequential(*layers), stride == 1 and before == after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """With a shortcut where the shape stays."""
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):  # type: ignore[misc]
    """Seventeen inverted residuals."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolve(3, 32, 3, 2)]
        before = 32
        for expansion, width, blocks, stride in MOBILE_STAGES:
            for block in range(blocks):
                layers.append(
                    InvertedResidual(before, width, stride if block == 0 else 1, expansion)
                )
                before = width
        layers.append(_convolve(before, 1280, 1, 1))
        self.features = nn.Sequential(*layers)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(batch, 1280, rows / 32, columns / 32)."""
        return self.features(image)


class ShuffleUnit(nn.Module):  # type: ignore[misc]
    """Half of the channels pass, the other half is filtered; then both are interleaved."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        half = after // 2
        entering = before if stride == 2 else half
        self.branch1 = nn.Sequential()
        if stride == 2:
            self.branch1 = nn.Sequential(*_depthwise(before, stride), *_pointwise(before, half))
        self.branch2 = nn.Sequential(
            *_pointwise(entering, half), *_depthwise(half, stride), *_pointwise(half, half)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Interleave the channels of both branches."""
        if len(self.branch1):
            parts = self.branch1(x), self.branch2(x)
        else:
            first, second = x.chunk(2, dim=1)
            parts = first, self.branch2(second)
        joined = torch.stack(parts, dim=2)
        return joined.flatten(1, 2)


def _depthwise(width: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False)
    return [convolution, nn.BatchNorm2d(width)]


def _pointwise(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]


class ShuffleNetV2(nn.Module):  # type: ignore[misc]
    """ShuffleNet v2, width 1.0."""

    def __init__(self) -> None:
        super().__init__()
        first = nn.Conv2d(3, 24, 3, 2, 1, bias=False)
        self.conv1 = nn.Sequential(first, nn.BatchNorm2d(24), nn.ReLU())
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = 24
        for number, (width, units) in enumerate(SHUFFLE_STAGES, start=2):
            layers = [ShuffleUnit(before, width, 2)]
            layers += [ShuffleUnit(width, width, 1) for _ in range(units - 1)]
            setattr(self, f"stage{number}", nn.Sequential(*layers))
            before = width
        self.conv5 = nn.Sequential(*_pointwise(before, 1024))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(batch, 1024, rows / 32, columns / 32)."""
        x = self.maxpool(self.conv1(image))
        return self.conv5(self.stage4(self.stage3(self.stage2(x))))


class Block3d(nn.Module):  # type: ignore[misc]
    """Two 3 × 3 × 3 convolutions around a shortcut."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        first = nn.Conv3d(before, after, 3, stride, 1, bias=False)
        second = nn.Conv3d(after, after, 3, 1, 1, bias=False)
        self.conv1 = nn.Sequential(first, nn.BatchNorm3d(after), nn.ReLU())
        self.conv2 = nn.Sequential(second, nn.BatchNorm3d(after))
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv3d(before, after, 1, stride, bias=False), nn.BatchNorm3d(after)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the shortcut before the last activation."""
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(self.conv2(self.conv1(x)) + shortcut)


class ResNet3d18(nn.Module):  # type: ignore[misc]
    """Four stages of two 3D blocks."""

    def __init__(self) -> None:
        super().__init__()
        first = nn.Conv3d(3, 64, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm3d(64), nn.ReLU())
        before = 64
        for stage in range(4):
            width, stride = 64 << stage, 1 if stage == 0 else 2
            blocks = nn.Sequential(Block3d(before, width, stride), Block3d(width, width, 1))
            setattr(self, f"layer{stage + 1}", blocks)
            before = width

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(batch, 512, slices / 8, rows / 16, columns / 16)."""
        return self.layer4(self.layer3(self.layer2(self.layer1(self.stem(image)))))


ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "vgg16": lambda: Vgg((2, 2, 3, 3, 3)),
    "vgg19": lambda: Vgg((2, 2, 4, 4, 4)),
    "resnet50": ResNet50,
    "mobilenet_v2": MobileNetV2,
    "shufflenet_v2_x1_0": ShuffleNetV2,
    "r3d_18": ResNet3d18,
}
"""Name in [encoder] architecture → the network up to its last feature map."""
CLASSIFIERS = ("classifier.", "fc.")
"""Parameters behind the last feature map; files of whole classifiers hold them."""
