"""Random patches: affine, gray values, liver contrast, synthetic lesions.

A case is (hu, label, exact): ``exact`` is False where a liver voxel may be an unmarked
tumor. Synthetic lesions follow the idea of Hu 2023 (doi:10.1109/CVPR52729.2023.00714):
ellipsoids with a warped surface, blurred edge and own texture, painted into the liver.
"""

import math

import torch
from torch.nn import functional

Patch = tuple[int, int, int]
LIVER, TUMOR = 1, 2


def smooth_noise(shape: Patch, cell: int, generator: torch.Generator) -> torch.Tensor:
    """Band-limited noise of standard deviation about 1, trilinear between ``cell`` voxels."""
    coarse = [max(2, math.ceil(side / cell) + 1) for side in shape]
    noise = torch.randn((1, 1, *coarse), generator=generator)
    return functional.interpolate(noise, shape, mode="trilinear", align_corners=True)[0, 0] * 1.6


def blur(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """Separable Gaussian over the three axes, replicated borders."""
    radius = max(1, math.ceil(2.5 * sigma))
    taps = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-(taps**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    result = image[None, None]
    for axis in range(3):
        shape = [1, 1, 1, 1, 1]
        shape[2 + axis] = -1
        pad = [0, 0, 0, 0, 0, 0]
        pad[2 * (2 - axis)] = pad[2 * (2 - axis) + 1] = radius
        result = functional.conv3d(
            functional.pad(result, pad, mode="replicate"), kernel.reshape(shape)
        )
    return result[0, 0]


class Augmenter:
    """Draws one augmented patch from one case; one seeded generator for everything."""

    def __init__(
        self, patch: Patch, spacing_mm: tuple[float, float, float], seed: int, *, lesions: bool
    ) -> None:
        self.patch = patch
        self.spacing = torch.tensor(spacing_mm)
        self.generator = torch.Generator().manual_seed(seed)
        self.lesions = lesions

    def uniform(self, low: float, high: float) -> float:
        """One number, uniform in [low, high)."""
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def choose_center(self, label: torch.Tensor) -> torch.Tensor:
        """A voxel of a tumor, of the liver, or anywhere."""
        dice = self.uniform(0, 1)
        wanted = TUMOR if dice < 0.3 else LIVER if dice < 0.8 else 0
        if wanted:
            for _ in range(200):
                index = [int(self.uniform(0, side)) for side in label.shape]
                if int(label[tuple(index)]) >= wanted:
                    return torch.tensor(index)
            found = (label >= wanted).nonzero()
            if len(found):
                return found[int(self.uniform(0, len(found)))]
        return torch.tensor([int(self.uniform(0, side)) for side in label.shape])

    def crop(
        self, hu: torch.Tensor, label: torch.Tensor, exact: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Cut, rotate (±12°) and zoom (0.85–1.2) a patch around a chosen center."""
        center = self.choose_center(label)
        jitter = torch.tensor([self.uniform(-0.3, 0.3) * side for side in self.patch])
        middle = center + jitter
        reach = [math.ceil(side * 0.68) for side in self.patch]
        low = [int(m) - r for m, r in zip(middle, reach, strict=True)]
        slices, pads = [], []
        for start, r, side in zip(low, reach, label.shape, strict=True):
            stop = start + 2 * r
            begin, end = min(max(start, 0), side), max(min(stop, side), 0)
            slices.append(slice(begin, max(end, begin)))
            before = min(max(0, -start), 2 * r)
            pads.append((before, 2 * r - before - max(end - begin, 0)))
        flat = [value for pair in reversed(pads) for value in pair]
        image = functional.pad(hu[tuple(slices)].float(), flat, value=-160.0)
        mask = functional.pad(label[tuple(slices)], flat).float()
        sure = functional.pad(exact[tuple(slices)], flat, value=True).float()
        grid = self.affine_grid([2 * r for r in reach])
        image = functional.grid_sample(
            image[None, None], grid, mode="bilinear", padding_mode="border", align_corners=False
        )[0, 0]
        nearest = functional.grid_sample(
            torch.stack((mask, sure))[None], grid, mode="nearest", align_corners=False
        )[0]
        return image, nearest[0].round().long(), nearest[1] > 0.5

    def affine_grid(self, source: list[int]) -> torch.Tensor:
        """Sampling grid of the patch inside a crop of ``source`` voxels."""
        rows = torch.eye(3)
        for first, second in ((0, 1), (0, 2), (1, 2)):
            angle = math.radians(self.uniform(-12, 12))
            turn = torch.eye(3)
            turn[first, first] = turn[second, second] = math.cos(angle)
            turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
            rows = turn @ rows
        rows = rows * self.uniform(0.85, 1.2)
        voxel = self.spacing  # rotate in millimeters, not in voxels
        matrix = rows * voxel[None, :] / voxel[:, None]
        half = torch.tensor(source, dtype=torch.float32) / 2
        patch = torch.tensor(self.patch, dtype=torch.float32) / 2
        matrix = matrix * patch[None, :] / half[:, None]
        theta = torch.cat((matrix.flip(0, 1), torch.zeros(3, 1)), 1)  # x, y, z order
        return functional.affine_grid(theta[None], [1, 1, *self.patch], align_corners=False)

    def paint_lesions(
        self, hu: torch.Tensor, label: torch.Tensor, exact: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Paint one to four lesions into the liver and mark their surroundings exact."""
        found = (label == LIVER).nonzero()
        if len(found) < 500:
            return hu, label, exact
        background = float(hu[label == LIVER].median())
        texture = hu - blur(hu, 2.0)
        axes = [torch.arange(side, dtype=torch.float32) for side in label.shape]
        coordinates = torch.stack(torch.meshgrid(*axes, indexing="ij"))
        for _ in range(1 + int(self.uniform(0, 4))):
            center = found[int(self.uniform(0, len(found)))].float()
            radius = 4.0 * (25.0 / 4.0) ** self.uniform(0, 1)
            radii = torch.tensor([radius * self.uniform(0.7, 1.3) for _ in range(3)])
            offset = (coordinates - center[:, None, None, None]) * self.spacing[:, None, None, None]
            distance = ((offset / radii[:, None, None, None]) ** 2).sum(0).sqrt()
            cell = max(3, int(radius / 3))
            warp = 0.18 * smooth_noise(self.patch, cell, self.generator)
            inside = (distance + warp < 1) & (label > 0)
            if int(inside.sum()) < 8:
                continue
            alpha = blur(inside.float(), self.uniform(0.6, 1.1))
            hyper = self.uniform(0, 1) < 0.15
            contrast = self.uniform(20, 60) if hyper else -self.uniform(12, 70)
            target = background + contrast + 8 * smooth_noise(self.patch, 5, self.generator)
            if radius > 10 and self.uniform(0, 1) < 0.3:
                core = blur((distance + warp < self.uniform(0.3, 0.6)).float(), 1.0)
                target = target - self.uniform(10, 40) * core
            if self.uniform(0, 1) < 0.25:
                rim = blur(((distance + warp < 1.0) & (distance + warp > 0.85)).float(), 0.6)
                target = target + self.uniform(10, 40) * rim
            hu = hu * (1 - alpha) + (target + texture) * alpha
            shell = (distance < 1 + 8.0 / radius) & (label > 0)
            exact = exact | shell
            label = torch.where(inside, torch.full_like(label, TUMOR), label)
        return hu, label, exact

    def shift_gray(self, hu: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Vary liver contrast (phases, steatosis), window, noise and sharpness."""
        if self.uniform(0, 1) < 0.4:
            shift = self.uniform(-60, 20)
            hu = hu + shift * blur((label > 0).float(), 0.8)
        if self.uniform(0, 1) < 0.25:
            hu = blur(hu, self.uniform(0.4, 1.0))
        if self.uniform(0, 1) < 0.4:
            noise = torch.randn(hu.shape, generator=self.generator)
            if self.uniform(0, 1) < 0.7:
                noise = blur(noise, 0.6) * 2.2
            hu = hu + self.uniform(2, 16) * noise
        gain = self.uniform(0.85, 1.15)
        return (hu - 40) * gain + 40 + self.uniform(-20, 20)

    def draw(
        self, hu: torch.Tensor, label: torch.Tensor, exact: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """One patch: image scaled for the network, label and exactness."""
        image, mask, sure = self.crop(hu, label, exact)
        if self.lesions and self.uniform(0, 1) < 0.75:
            image, mask, sure = self.paint_lesions(image, mask, sure)
        image = self.shift_gray(image, mask)
        return (image.clamp(-160, 240) - 40) / 200, mask, sure
