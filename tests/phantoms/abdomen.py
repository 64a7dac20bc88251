"""A crude upper abdomen whose organs have the HU of a contrast phase."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.values.identity import ContrastPhase

SPACING_MM = (5.0, 2.5, 2.5)
SHAPE = (36, 120, 160)


@dataclass(frozen=True, kw_only=True)
class OrganHu:
    """Mean HU per organ."""

    aorta: float
    liver: float
    spleen: float
    kidney: float


ORGANS = {
    ContrastPhase.NON_CONTRAST: OrganHu(aorta=42, liver=58, spleen=48, kidney=34),
    ContrastPhase.LATE_ARTERIAL: OrganHu(aorta=300, liver=75, spleen=125, kidney=180),
    ContrastPhase.PORTAL_VENOUS: OrganHu(aorta=160, liver=110, spleen=120, kidney=190),
    ContrastPhase.DELAYED: OrganHu(aorta=95, liver=85, spleen=85, kidney=150),
}


def abdomen_hu(organs: OrganHu, *, seed: int = 0, noise_hu: float = 12.0) -> NDArray[np.int16]:
    """HU on standard axes (S, P, L), spacing ``SPACING_MM``, shape ``SHAPE``.

    The patient is centered in the field of view; the spine's center lies 60 mm behind the
    middle, the aorta 35 mm before it and 12 mm to its left.
    """
    z, y, x = np.indices(SHAPE, dtype=np.float64)
    x = (x - SHAPE[2] / 2) * SPACING_MM[2]
    y = (y - SHAPE[1] / 2) * SPACING_MM[1]
    z = z * SPACING_MM[0]
    hu = np.full(SHAPE, -1000.0)
    hu[(x / 165) ** 2 + (y / 115) ** 2 < 1] = -100
    hu[(x / 150) ** 2 + (y / 100) ** 2 < 1] = 45
    hu[(x / 140) ** 2 + ((y + 5) / 88) ** 2 < 1] = -95
    hu[((x + 75) / 62) ** 2 + ((y + 5) / 72) ** 2 + ((z - 110) / 75) ** 2 < 1] = organs.liver
    hu[((x - 95) / 32) ** 2 + ((y - 35) / 30) ** 2 + ((z - 120) / 45) ** 2 < 1] = organs.spleen
    for side in (-55, 55):
        kidney = ((x - side) / 24) ** 2 + ((y - 45) / 24) ** 2 + ((z - 40) / 45) ** 2 < 1
        hu[kidney] = organs.kidney
    spine = (x / 22) ** 2 + ((y - 60) / 18) ** 2
    hu[spine < 1] = 350
    hu[spine < 0.6] = 180
    hu[(np.abs(x) < 6) & (y > 78) & (y < 98)] = 400
    hu[((x - 12) ** 2 + (y - 27) ** 2) < 12**2] = organs.aorta
    noise = np.random.default_rng(seed).normal(0, noise_hu, SHAPE)
    return np.clip(np.rint(hu + noise), -1024, 3000).astype(np.int16)
