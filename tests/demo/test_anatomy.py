"""Anatomy and truth of the phantom."""

import numpy as np
import pytest
import SimpleITK

from engine.demo.anatomy import Phantom, build_phantom
from engine.demo.parameters import DEMO_PARAMETERS, draw_parameters
from engine.demo.tissues import Tissue


def centroid_mm(phantom: Phantom, mask: np.ndarray) -> np.ndarray:
    return phantom.geometry.to_patient(np.argwhere(mask).mean(axis=0))


def volume_ml(phantom: Phantom, *tissues: Tissue) -> float:
    return float(np.isin(phantom.labels, tissues).sum() * phantom.geometry.spacing.voxel_ml)


def test_the_liver_is_as_large_as_an_adult_liver(phantom: Phantom) -> None:
    liver_ml = phantom.liver.sum() * phantom.geometry.spacing.voxel_ml
    assert 1100 < liver_ml < 2300


@pytest.mark.parametrize(
    ("tissues", "low_ml", "high_ml"),
    [
        ((Tissue.SPLEEN,), 100, 450),
        ((Tissue.RENAL_CORTEX, Tissue.RENAL_MEDULLA), 200, 500),
        ((Tissue.PANCREAS,), 25, 150),
        ((Tissue.GALLBLADDER,), 10, 80),
        ((Tissue.AORTA,), 50, 200),
    ],
)
def test_organs_have_adult_volumes(
    phantom: Phantom, tissues: tuple[Tissue, ...], low_ml: float, high_ml: float
) -> None:
    assert low_ml < volume_ml(phantom, *tissues) < high_ml


def test_organs_lie_where_they_lie_in_a_patient(phantom: Phantom) -> None:
    """LPS: the patient's right is negative x, the back positive y, the head positive z."""
    liver = centroid_mm(phantom, phantom.liver)
    spleen = centroid_mm(phantom, phantom.labels == Tissue.SPLEEN)
    aorta = centroid_mm(phantom, phantom.labels == Tissue.AORTA)
    spine = centroid_mm(phantom, phantom.labels == Tissue.DISK)
    lungs = centroid_mm(phantom, phantom.labels == Tissue.LUNG)
    assert liver[0] < -20 < 60 < spleen[0]
    assert liver[1] < aorta[1] < spine[1]
    assert lungs[2] > liver[2]


def test_the_liver_is_one_piece(phantom: Phantom) -> None:
    pieces = SimpleITK.RelabelComponent(
        SimpleITK.ConnectedComponent(SimpleITK.GetImageFromArray(phantom.liver.astype(np.uint8)))
    )
    sizes = np.bincount(SimpleITK.GetArrayFromImage(pieces).ravel())[1:]
    assert sizes[0] > 0.99 * sizes.sum()


def test_every_lesion_of_the_demo_grows_and_lies_inside_the_liver(phantom: Phantom) -> None:
    assert len(phantom.lesions) == len(DEMO_PARAMETERS.lesions)
    assert (phantom.liver[phantom.lesion_labels > 0]).all()


def test_lesions_have_about_the_diameter_they_were_designed_with(phantom: Phantom) -> None:
    for lesion in phantom.lesions:
        grown_mm = np.cbrt(6000 * lesion.volume_ml / np.pi)
        assert grown_mm == pytest.approx(lesion.design.diameter_mm, rel=0.15)


def test_labels_masks_and_segmentation_agree(phantom: Phantom) -> None:
    tumor = phantom.lesion_labels > 0
    assert np.array_equal(phantom.labels == Tissue.TUMOR, tumor)
    assert np.array_equal(phantom.segmentation_labels == 2, tumor)
    assert np.array_equal(phantom.segmentation_labels > 0, phantom.liver)


def test_equal_parameters_build_equal_phantoms() -> None:
    grid = ((20, 36, 36), (2.0, 4.0, 4.0))
    first, second = (build_phantom(draw_parameters(5), *grid) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.lesion_labels, second.lesion_labels)


def test_any_grid_shows_the_same_patient(phantom: Phantom) -> None:
    """Liver and lesions have the same place and size on a grid of other voxels."""
    other = build_phantom(DEMO_PARAMETERS, (40, 58, 58), (6.0, 6.0, 6.0))
    ratio = other.geometry.spacing.voxel_ml / phantom.geometry.spacing.voxel_ml
    assert other.liver.sum() * ratio == pytest.approx(phantom.liver.sum(), rel=0.03)
    for here, there in zip(other.lesions, phantom.lesions, strict=True):
        assert here.center_mm == pytest.approx(there.center_mm, abs=1e-6)
