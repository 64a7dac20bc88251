"""The liver among its neighbors, and the vessels inside it."""

import numpy as np
import pytest
from SimpleITK import GetArrayFromImage, GetImageFromArray, SignedMaurerDistanceMap

from engine.demo.anatomy import Phantom
from engine.demo.tissues import Tissue

INSIDE = (Tissue.LIVER, Tissue.PORTAL_VEIN, Tissue.HEPATIC_VEIN, Tissue.CYST, Tissue.TUMOR)


def test_no_neighbor_reaches_into_the_liver(phantom: Phantom) -> None:
    strange = ~np.isin(phantom.labels[phantom.liver], INSIDE)
    assert strange.mean() < 0.02


@pytest.mark.parametrize("vein", [Tissue.PORTAL_VEIN, Tissue.HEPATIC_VEIN])
def test_veins_branch_through_the_liver(phantom: Phantom, vein: Tissue) -> None:
    inside = phantom.liver & (phantom.labels == vein)
    assert 5 < inside.sum() * phantom.geometry.spacing.voxel_ml < 120
    reach_mm = np.ptp(np.argwhere(inside), axis=0) * 4.0
    assert (reach_mm > 50).all()


def test_the_liver_lies_against_the_diaphragm(phantom: Phantom) -> None:
    """Above most of the liver's top there is diaphragm or lung, not a gap of fat."""
    top = phantom.geometry.shape[0] - 1 - phantom.liver[::-1].argmax(axis=0)
    rows, columns = np.nonzero(phantom.liver.any(axis=0))
    above = np.minimum(top[rows, columns] + 2, phantom.geometry.shape[0] - 1)
    found = phantom.labels[above, rows, columns]
    chest = (Tissue.LUNG, Tissue.LUNG_VESSEL, Tissue.DIAPHRAGM, Tissue.HEART, Tissue.MYOCARDIUM)
    assert np.isin(found, (*chest, Tissue.MUSCLE)).mean() > 0.6


def test_the_right_kidney_and_the_gallbladder_touch_the_liver(phantom: Phantom) -> None:
    image = GetImageFromArray(phantom.liver.astype(np.uint8))
    distance = GetArrayFromImage(SignedMaurerDistanceMap(image, squaredDistance=False)) * 4.0
    for organ in (Tissue.RENAL_CORTEX, Tissue.GALLBLADDER):
        assert distance[phantom.labels == organ].min() < 10
