"""Landmarks of a crude abdomen are measured where the organs are."""

import numpy as np
import pytest

from engine.series.landmarks import find_landmarks
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ContrastPhase
from tests.phantoms.abdomen import ORGANS, SHAPE, SPACING_MM, abdomen_hu

GEOMETRY = VolumeGeometry(
    shape=SHAPE,
    spacing=VoxelSpacing(slice_mm=SPACING_MM[0], row_mm=SPACING_MM[1], column_mm=SPACING_MM[2]),
    origin_mm=(0.0, 0.0, 0.0),
    slice_direction=(0.0, 0.0, 1.0),
    row_direction=(0.0, 1.0, 0.0),
    column_direction=(1.0, 0.0, 0.0),
)


@pytest.mark.parametrize("phase", list(ORGANS))
def test_the_liver_is_measured_in_every_phase(phase: ContrastPhase) -> None:
    landmarks = find_landmarks(abdomen_hu(ORGANS[phase]).astype(np.float32), GEOMETRY)
    assert landmarks.liver_hu == pytest.approx(ORGANS[phase].liver, abs=4)


@pytest.mark.parametrize("phase", [p for p in ORGANS if p is not ContrastPhase.NON_CONTRAST])
def test_the_enhanced_aorta_is_measured(phase: ContrastPhase) -> None:
    landmarks = find_landmarks(abdomen_hu(ORGANS[phase]).astype(np.float32), GEOMETRY)
    assert landmarks.aorta_hu == pytest.approx(ORGANS[phase].aorta, rel=0.06)


def test_enhanced_kidneys_are_told_from_unenhanced_ones() -> None:
    before, after = (
        find_landmarks(abdomen_hu(ORGANS[phase]).astype(np.float32), GEOMETRY).kidney_hu
        for phase in (ContrastPhase.NON_CONTRAST, ContrastPhase.PORTAL_VENOUS)
    )
    assert before is not None
    assert after is not None
    assert before < 80
    assert after > 150


def test_air_has_no_landmarks() -> None:
    landmarks = find_landmarks(np.full(SHAPE, -1000, np.float32), GEOMETRY)
    assert not landmarks.has_spine
    assert landmarks.liver_hu is None
