"""Evaluate the packaged model through the engine itself, case by case.

    python evaluate.py DATA --split validation [--package FOLDER]

Each case is read on its own grid, segmented by the engine's stage, and compared with
its label there. Prints a markdown table for the model card.
"""

import argparse
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.inference.networks import open_networks
from engine.model_package.loading import embedded_models, load_package
from engine.segmentation.cascade import segment
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ImageReference, PatientIdentity, SeriesIdentity, StudyIdentity
from engine.values.segmentation import Segmentation
from engine.values.volume import Volume

MARKED = {f"lits_{number:03d}" for number in range(6)}
LESION_ML = 0.5


def read_volume(path: Path) -> Volume:
    """A NIfTI image of identity direction as the engine's value."""
    image = sitk.ReadImage(str(path), sitk.sitkInt16)
    voxels = sitk.GetArrayFromImage(image)
    column, row, slice_ = image.GetSpacing()
    x, y, z = image.GetOrigin()
    geometry = VolumeGeometry(
        shape=voxels.shape,
        spacing=VoxelSpacing(slice_mm=slice_, row_mm=row, column_mm=column),
        origin_mm=(x, y, z),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )
    source = ImageReference(sop_class_uid="1.2", sop_instance_uid="1.2.3")
    return Volume(
        voxels_hu=voxels,
        geometry=geometry,
        study=StudyIdentity(study_instance_uid="1.2", patient=PatientIdentity(patient_id="case")),
        series=SeriesIdentity(series_instance_uid="1.2.3"),
        slice_sources=tuple((source,) for _ in range(len(voxels))),
        headers=(),
    )


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """2|A∩B| / (|A| + |B|)."""
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def lesions_found(found: Segmentation, label: NDArray[np.uint8]) -> str:
    """True lesions of at least LESION_ML that the model touches, and false components."""
    voxel_ml = found.geometry.spacing.voxel_ml
    tumor = found.labels == 2
    components = sitk.GetArrayFromImage(
        sitk.ConnectedComponent(sitk.GetImageFromArray((label == 2).astype(np.uint8)), True)
    )
    sizes = np.bincount(components.ravel()) * voxel_ml
    large = [i for i in range(1, len(sizes)) if sizes[i] >= LESION_ML]
    hit = sum(bool(tumor[components == i].any()) for i in large)
    ours = sitk.GetArrayFromImage(
        sitk.ConnectedComponent(sitk.GetImageFromArray(tumor.astype(np.uint8)), True)
    )
    false = sum(
        not (label[ours == i] == 2).any()
        for i in range(1, int(ours.max()) + 1)
        if (ours == i).sum() * voxel_ml >= LESION_ML
    )
    return f"{hit} of {len(large)} | {false}"


def main() -> None:
    """Print one row per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--cases", nargs="*")
    parser.add_argument("--package", default="liver_tumor_ct")
    arguments = parser.parse_args()
    package = load_package(arguments.package, search_paths=[embedded_models()])
    sessions = open_networks(package)
    print("| case | liver Dice | liver mL (label) | tumor Dice | lesions ≥ 0.5 mL found | false |")
    print("|---|---|---|---|---|---|")
    for folder in sorted((arguments.data / arguments.split).iterdir()):
        if arguments.cases and folder.name not in arguments.cases:
            continue
        volume = read_volume(folder / "ct.nii.gz")
        label = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "label.nii.gz")))
        found = segment(volume, package, sessions)
        ml = volume.geometry.spacing.voxel_ml
        row = f"| {folder.name} | {dice(found.liver, label > 0):.3f} | "
        row += f"{found.liver.sum() * ml:.0f} ({(label > 0).sum() * ml:.0f}) | "
        if folder.name in MARKED:
            row += f"{dice(found.labels == 2, label == 2):.3f} | {lesions_found(found, label)} |"
        else:
            row += "not labeled | - | - |"
        print(row, flush=True)


if __name__ == "__main__":
    main()
