"""Placing and growing lesions."""

import numpy as np
import pytest

from engine.demo.canvas import Canvas
from engine.demo.lesions import GAP_MM, grow_lesion, paint_lesions, place_spheres
from engine.demo.liver import liver_box
from engine.demo.parameters import LesionParameters, PhantomParameters
from engine.demo.tissues import LesionPart, Tissue, lesion_material

LIVER_RADIUS_MM = 45.0
CENTER = np.array([-90.0, 0.0, -40.0])


@pytest.fixture
def wide() -> Canvas:
    """A canvas around a ball-shaped liver."""
    axes = tuple(np.arange(c - 60, c + 60, 1.5) for c in CENTER)
    return Canvas((axes[0], axes[1], axes[2]), (1.0, 1.0, 1.0), 0.0, np.random.default_rng(0))


@pytest.fixture
def liver(wide: Canvas) -> np.ndarray:
    box = liver_box(wide)
    offset = [c[box] - m for c, m in zip((wide.z, wide.y, wide.x), CENTER, strict=True)]
    return (np.sqrt(sum(o**2 for o in offset)) - LIVER_RADIUS_MM).astype(np.float32)


def test_spheres_lie_inside_and_apart(wide: Canvas, liver: np.ndarray) -> None:
    diameters = [30.0, 20.0, 14.0, 10.0]
    centers = place_spheres(wide, liver, diameters, np.random.default_rng(2))
    for i, (center, diameter) in enumerate(zip(centers, diameters, strict=True)):
        assert center is not None
        assert np.linalg.norm(center - CENTER) < LIVER_RADIUS_MM - 0.4 * diameter - 2
        for other, size in zip(centers[:i], diameters[:i], strict=True):
            assert np.linalg.norm(center - other) > (diameter + size) / 2 + GAP_MM


def test_a_sphere_that_fits_nowhere_gets_no_place(wide: Canvas, liver: np.ndarray) -> None:
    assert place_spheres(wide, liver, [200.0], np.random.default_rng(2)) == [None]


def test_a_lesion_has_capsule_tumor_and_core(wide: Canvas, liver: np.ndarray) -> None:
    design = LesionParameters(diameter_mm=30.0, necrosis=0.5, capsule_mm=2.0, lobulation=0.0)
    lesion = grow_lesion(wide, liver, design, (1, CENTER), np.random.default_rng(2))
    painted = wide.dominant(lesion.box)
    counts = [int((painted == lesion_material(1, part)).sum()) for part in LesionPart]
    assert min(counts) > 50
    assert (lesion.distance_mm < 0).sum() * 1.5**3 == pytest.approx(np.pi / 6 * 30**3, rel=0.03)


def test_a_lesion_never_leaves_the_liver(wide: Canvas, liver: np.ndarray) -> None:
    design = LesionParameters(diameter_mm=40.0)
    rim = CENTER + np.array([LIVER_RADIUS_MM - 8, 0, 0])
    lesion = grow_lesion(wide, liver, design, (1, rim), np.random.default_rng(2))
    frame = liver_box(wide)
    inner = tuple(
        slice(b.start - f.start, b.stop - f.start) for b, f in zip(lesion.box, frame, strict=True)
    )
    assert (liver[inner][lesion.distance_mm < 0] < 0).all()


def test_a_tumor_without_a_place_is_left_out_and_numbers_stay_dense(
    wide: Canvas, liver: np.ndarray
) -> None:
    sizes = (20.0, 300.0, 12.0)
    parameters = PhantomParameters(
        seed=1, lesions=tuple(LesionParameters(diameter_mm=mm) for mm in sizes)
    )
    grown = paint_lesions(wide, liver, parameters, np.random.default_rng(2))
    assert [(lesion.number, lesion.design.diameter_mm) for lesion in grown] == [(1, 20), (2, 12)]


def test_a_cyst_is_painted_and_is_no_tumor(wide: Canvas, liver: np.ndarray) -> None:
    parameters = PhantomParameters(seed=1, cyst_diameters_mm=(9.0,))
    assert paint_lesions(wide, liver, parameters, np.random.default_rng(2)) == ()
    volume = wide.weight[wide.primary == Tissue.CYST].sum() / 255 * 1.5**3
    assert volume == pytest.approx(np.pi / 6 * 9**3, rel=0.05)
