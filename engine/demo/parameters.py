"""What one phantom patient is made of; drawn at random or fixed for the demo."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

MAXIMUM_LESIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionParameters:
    """One tumor; its place in the liver is drawn when the phantom is built.

    Attributes:
        diameter_mm: Of the sphere the lobulated lesion is grown from.
        lobulation: Radial irregularity, fraction of the radius.
        non_contrast_offset_hu, arterial_offset_hu, portal_offset_hu, delayed_offset_hu:
            Viable tumor minus liver parenchyma.
        capsule_mm: Thickness of an enhancing capsule; 0 for none.
        necrosis: Diameter of the necrotic core as a fraction of the lesion's; 0 for none.
    """

    diameter_mm: float
    lobulation: float = 0.16
    non_contrast_offset_hu: float = -12.0
    arterial_offset_hu: float = 45.0
    portal_offset_hu: float = -35.0
    delayed_offset_hu: float = -27.0
    capsule_mm: float = 1.8
    necrosis: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomParameters:
    """Everything that decides how one phantom looks.

    Attributes:
        seed: Of shapes, vessels and lesion places.
        width_scale, depth_scale, height_scale: Of the reference adult along x, y, z.
        fat_mm: Mean subcutaneous fat.
        warp_mm: Standard deviation of the smooth displacement that makes one person
            differ from the next.
        dome_mm: Right hemidiaphragm raised (positive) or lowered.
        right_lobe_mm: Inferior edge of the right lobe lowered (positive) or raised.
        left_lobe_scale: Lateral reach of the left lobe.
        spleen_scale, stomach_scale: Size of the organ.
        oral_contrast: Stomach and bowel hold positive contrast.
        gap_mm: Fat between the liver and its neighbors; small in a lean patient.
        roundness: Of the body wall's cross-section: 2 an ellipse, less a rounded box.
        nodularity_mm: Standard deviation of the liver's surface irregularity.
        liver_offset_hu: Parenchyma in every phase; strongly negative for a fatty liver.
        enhancement: Scale of all contrast enhancement.
        arterial_timing: Scale of enhancement in the late arterial phase.
        noise_sd_hu: In water at the body's center, 1.5 mm slices.
        lesions: At most MAXIMUM_LESIONS.
        cyst_diameters_mm: Simple cysts.
    """

    seed: int
    width_scale: float = 1.0
    depth_scale: float = 1.0
    height_scale: float = 1.0
    fat_mm: float = 20.0
    warp_mm: float = 3.0
    dome_mm: float = 0.0
    right_lobe_mm: float = 0.0
    left_lobe_scale: float = 1.0
    spleen_scale: float = 1.0
    stomach_scale: float = 0.9
    oral_contrast: bool = False
    gap_mm: float = 1.6
    roundness: float = 1.5
    nodularity_mm: float = 0.9
    liver_offset_hu: float = 0.0
    enhancement: float = 1.0
    arterial_timing: float = 1.0
    noise_sd_hu: float = 12.0
    lesions: tuple[LesionParameters, ...] = ()
    cyst_diameters_mm: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.lesions) > MAXIMUM_LESIONS:
            raise ValueError(f"At most {MAXIMUM_LESIONS} lesions, got {len(self.lesions)}")


DEMO_PARAMETERS = PhantomParameters(
    seed=20_260_101,
    fat_mm=19.0,
    cyst_diameters_mm=(8.0,),
    lesions=(
        LesionParameters(diameter_mm=44.0, necrosis=0.45, lobulation=0.14),
        LesionParameters(diameter_mm=31.0, portal_offset_hu=-38.0),
        LesionParameters(diameter_mm=22.0, arterial_offset_hu=50.0),
        LesionParameters(diameter_mm=19.0, portal_offset_hu=-36.0, arterial_offset_hu=40.0),
    ),
)


def _draw_hepatocellular(rng: Generator) -> LesionParameters:
    diameter_mm = float(np.exp(rng.uniform(np.log(9), np.log(70))))
    return LesionParameters(
        diameter_mm=diameter_mm,
        lobulation=float(rng.uniform(0.05, 0.24)),
        non_contrast_offset_hu=float(rng.uniform(-20, -4)),
        arterial_offset_hu=float(rng.uniform(15, 65)),
        portal_offset_hu=float(rng.uniform(-50, -14)),
        delayed_offset_hu=float(rng.uniform(-40, -12)),
        capsule_mm=float(rng.choice([0.0, 1.5, 2.0, 2.5])),
        necrosis=float(rng.uniform(0.3, 0.6)) if diameter_mm > 30 and rng.random() < 0.5 else 0.0,
    )


def _draw_hypovascular(rng: Generator) -> LesionParameters:
    diameter_mm = float(np.exp(rng.uniform(np.log(7), np.log(60))))
    portal_offset_hu = float(rng.uniform(-65, -20))
    return LesionParameters(
        diameter_mm=diameter_mm,
        lobulation=float(rng.uniform(0.05, 0.25)),
        non_contrast_offset_hu=float(rng.uniform(-25, -5)),
        arterial_offset_hu=float(rng.uniform(-30, 5)),
        portal_offset_hu=portal_offset_hu,
        delayed_offset_hu=portal_offset_hu * float(rng.uniform(0.5, 0.9)),
        capsule_mm=0.0,
        necrosis=float(rng.uniform(0.3, 0.7)) if rng.random() < 0.3 else 0.0,
    )


def draw_parameters(seed: int) -> PhantomParameters:
    """Draw one patient of a varied population; equal seeds give equal patients.

    About one in four livers is fatty, one in six carries no lesion; lesions are
    hepatocellular (washout) more often than hypovascular.
    """
    rng = np.random.default_rng([seed, 0x4C49])
    size = float(rng.normal(1.0, 0.05))
    fatty = rng.random() < 0.25
    hypovascular = rng.random() < 0.3
    draw_lesion = _draw_hypovascular if hypovascular else _draw_hepatocellular
    count = int(rng.choice([0, 1, 1, 2, 3, 4, 5, 6][: 6 if hypovascular else 8]))
    count = 0 if rng.random() < 0.06 else count
    return PhantomParameters(
        seed=seed,
        width_scale=float(np.clip(size * rng.normal(1.0, 0.05), 0.86, 1.16)),
        depth_scale=float(np.clip(size * rng.normal(1.0, 0.06), 0.84, 1.18)),
        height_scale=float(np.clip(size * rng.normal(1.0, 0.06), 0.86, 1.16)),
        fat_mm=float(np.clip(rng.gamma(4.0, 5.0), 5.0, 42.0)),
        warp_mm=float(rng.uniform(2.0, 5.5)),
        dome_mm=float(rng.normal(0.0, 7.0)),
        right_lobe_mm=float(rng.normal(0.0, 14.0)),
        left_lobe_scale=float(rng.uniform(0.6, 1.35)),
        gap_mm=float(rng.uniform(0.4, 4.0)),
        roundness=float(rng.uniform(1.0, 2.1)),
        spleen_scale=float(rng.uniform(0.78, 1.3)),
        stomach_scale=float(rng.uniform(0.5, 1.1)),
        oral_contrast=bool(rng.random() < 0.3),
        nodularity_mm=float(rng.uniform(0.4, 2.2)),
        liver_offset_hu=float(rng.uniform(-55, -15) if fatty else rng.normal(0.0, 6.0)),
        enhancement=float(rng.uniform(0.72, 1.22)),
        arterial_timing=float(rng.uniform(0.75, 1.2)),
        noise_sd_hu=float(rng.uniform(7.0, 20.0)),
        lesions=tuple(draw_lesion(rng) for _ in range(count)),
        cyst_diameters_mm=tuple(
            float(mm) for mm in rng.uniform(4.0, 11.0, int(rng.choice([0, 0, 1, 2])))
        ),
    )
