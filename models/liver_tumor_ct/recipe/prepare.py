"""Bring labeled CT cases to the grids of the two networks.

Reads ``<data>/train/<case>/{ct,label}.nii.gz`` (identity direction, z to the head),
writes ``<out>/<grid>/<split>_<case>.npz`` with ``hu`` int16, ``label`` uint8 and
``marked`` (False where tumors are inside the liver label without being marked).
"""

import argparse
from pathlib import Path

import numpy as np
import SimpleITK as sitk

GRIDS = {"localizer": (4.0, 4.0, 4.0), "segmenter": (2.5, 2.0, 2.0)}
MARKED = {"lits_000", "lits_001", "lits_002", "lits_003", "lits_004", "lits_005"}


def to_grid(
    image: sitk.Image, spacing: tuple[float, float, float], *, is_label: bool
) -> sitk.Image:
    """Resample to (slice, row, column) ``spacing`` in mm over the same extent."""
    target = np.array(spacing[::-1])
    source = np.array(image.GetSpacing())
    size = np.maximum(1, np.round(np.array(image.GetSize()) * source / target)).astype(int)
    if not is_label:
        sigma = [0.42 * t if t > s * 1.2 else 0.0 for t, s in zip(target, source, strict=True)]
        for axis, value in enumerate(sigma):
            if value:
                image = sitk.RecursiveGaussian(image, value, False, 0, axis)
    shift = (target - source) / 2
    filter_ = sitk.ResampleImageFilter()
    filter_.SetSize(size.tolist())
    filter_.SetOutputSpacing(target.tolist())
    filter_.SetOutputOrigin((np.array(image.GetOrigin()) + shift).tolist())
    filter_.SetOutputDirection(image.GetDirection())
    filter_.SetInterpolator(sitk.sitkNearestNeighbor if is_label else sitk.sitkLinear)
    filter_.SetDefaultPixelValue(0 if is_label else -160)
    filter_.SetUseNearestNeighborExtrapolator(True)
    return filter_.Execute(image)


def prepare(folder: Path, out: Path, split: str) -> None:
    """Write one case on both grids."""
    hu = sitk.ReadImage(str(folder / "ct.nii.gz"), sitk.sitkFloat32)
    label = sitk.ReadImage(str(folder / "label.nii.gz"), sitk.sitkUInt8)
    for grid, spacing in GRIDS.items():
        target = out / grid
        target.mkdir(parents=True, exist_ok=True)
        image = sitk.GetArrayFromImage(to_grid(hu, spacing, is_label=False))
        mask = sitk.GetArrayFromImage(to_grid(label, spacing, is_label=True))
        np.savez(
            target / f"{split}_{folder.name}.npz",
            hu=np.round(image).astype(np.int16),
            label=mask,
            marked=folder.name in MARKED,
        )


def main() -> None:
    """Prepare every case of both splits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    for split in ("train", "validation"):
        for folder in sorted((arguments.data / split).iterdir()):
            if folder.is_dir():
                prepare(folder, arguments.out, split)
                print(split, folder.name)


if __name__ == "__main__":
    main()
