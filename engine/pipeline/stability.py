"""Which features of a patient's lesions survive small changes of image and mask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import tomli_w
from numpy.typing import NDArray

from engine.errors import RegionError
from engine.radiomics.perturbation import (
    Stability,
    draw_perturbations,
    estimate_noise,
    extract_perturbed,
    measure_stability,
)
from engine.radiomics.settings import RadiomicsSettings
from engine.radiomics.tables import Row, column_name
from engine.values.features import Feature, FeatureSet, settings_sha256
from engine.values.geometry import VolumeGeometry
from engine.values.progress import Progress

SEED = 2019
STABLE_ICC = 0.90
"""Least lower bound of a stable feature's ICC; the command's own choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilityReport:
    """ICC of every feature over a patient's regions.

    Attributes:
        features: The features of one region, for their names.
        stabilities: In the same order.
        settings: Extraction settings.
        least_icc: Least lower bound of a stable feature.
        left_out: Regions that could not be measured under every perturbation, and why.
    """

    features: tuple[Feature, ...] = field(repr=False)
    stabilities: tuple[Stability, ...] = field(repr=False)
    settings: Mapping[str, object] = field(repr=False)
    least_icc: float = STABLE_ICC
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def stable(self) -> tuple[str, ...]:
        """Column names of the stable features; a feature without an ICC is not stable."""
        rated = zip(self.features, self.stabilities, strict=True)
        return tuple(column_name(f) for f, s in rated if s.lower >= self.least_icc)

    def rows(self) -> list[Row]:
        """One row per feature."""
        stable = set(self.stable)
        return [
            {
                "feature": column_name(feature),
                "family": str(feature.family),
                "name": feature.name,
                "ibsi_code": feature.ibsi_code,
                "icc": _finite(s.icc),
                "lower": _finite(s.lower),
                "upper": _finite(s.upper),
                "regions": float(s.regions),
                "repeats": float(s.repeats),
                "stable": "yes" if column_name(feature) in stable else "no",
            }
            for feature, s in zip(self.features, self.stabilities, strict=True)
        ]

    def manifest(self) -> bytes:
        """What a package manifest can carry, as TOML."""
        first = self.stabilities[0]
        table = {
            "criterion": f"lower bound of the 95 % interval of ICC(1,1) >= {self.least_icc:g}",
            "regions": first.regions,
            "perturbations": first.repeats,
            "settings_sha256": settings_sha256(self.settings),
            "features": list(self.stable),
        }
        return tomli_w.dumps({"stable_features": table}).encode()


def assess_stability(
    image: tuple[NDArray[np.generic], VolumeGeometry],
    regions: Mapping[str, NDArray[np.bool_]],
    settings: RadiomicsSettings,
    count: int,
    progress: Progress,
) -> StabilityReport:
    """Perturb every region and compare.

    Args:
        image: Intensities and grid.
        regions: At least two.
        settings: Extraction settings.
        count: Perturbations per region, at least 2.
        progress: Told each region.

    Raises:
        RegionError: Fewer than two regions can be measured under every perturbation.
    """
    extracted: list[Sequence[FeatureSet]] = []
    left_out: list[tuple[str, str]] = []
    for number, (name, mask) in enumerate(regions.items()):
        progress(number / len(regions), f"{name}, {count} perturbations")
        noise = estimate_noise(image[0], mask)
        perturbations = draw_perturbations(count, seed=SEED, noise_sigma=noise)
        try:
            extracted.append(extract_perturbed(image, mask, settings, perturbations, seed=SEED))
        except RegionError as error:
            left_out.append((name, str(error)))
    stabilities = measure_stability(extracted)
    return StabilityReport(
        stabilities=stabilities,
        features=extracted[0][0].features,
        settings=extracted[0][0].settings,
        left_out=tuple(left_out),
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
