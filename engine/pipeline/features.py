"""Features of every region in every phase, what changes between phases, and the patient's."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.errors import RegionError
from engine.pipeline.deep import extract_deep
from engine.pipeline.opening import AnalysisSettings
from engine.pipeline.phase_changes import aggregate_patient, describe_changes
from engine.pipeline.phases import AlignedPhase
from engine.radiomics import Family, RadiomicsSettings, extract_features
from engine.radiomics.absent import absent_features
from engine.radiomics.regions import peritumoral_ring
from engine.values.features import FeatureSet
from engine.values.identity import ContrastPhase
from engine.values.lesion import LesionFindings
from engine.values.prognosis import Refusal
from engine.values.progress import Progress
from engine.values.volume import Volume

LIVER, PARENCHYMA = "liver", "liver parenchyma"
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """All features of one patient, and which regions have none."""

    features: tuple[FeatureSet, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOfInterest:
    """A named region of the reference grid.

    Attributes:
        name: As in the result.
        draw: Gives the mask on the reference grid.
        settings: How it is described.
    """

    name: str
    draw: Callable[[], Mask] = field(repr=False)
    settings: RadiomicsSettings


def ring_name(lesion: str, width_mm: float) -> str:
    """Name of a lesion's peritumoral ring."""
    return f"{lesion} ring {width_mm:g} mm"


def regions_of(findings: LesionFindings, settings: AnalysisSettings) -> list[RegionOfInterest]:
    """Every lesion, its ring, the liver, and the parenchyma that lesions are compared with."""
    regions = []
    for lesion in findings.lesions:
        name = f"lesion {lesion.number}"
        draw = cache(lambda number=lesion.number: findings.lesion_labels == number)
        regions.append(RegionOfInterest(name=name, draw=draw, settings=settings.radiomics))
        if settings.ring_mm > 0:
            regions.append(
                RegionOfInterest(
                    name=ring_name(name, settings.ring_mm),
                    draw=cache(lambda d=draw: _ring(d(), findings, settings.ring_mm)),
                    settings=settings.radiomics,
                )
            )
    if settings.whole_liver and findings.liver.any():
        statistics = replace(settings.radiomics, families=(Family.STATISTICS,), filters=())
        background = findings.liver & (findings.lesion_labels == 0)
        regions += [
            RegionOfInterest(name=LIVER, draw=lambda: findings.liver, settings=settings.radiomics),
            RegionOfInterest(name=PARENCHYMA, draw=lambda: background, settings=statistics),
        ]
    return regions


def _ring(lesion: Mask, findings: LesionFindings, width_mm: float) -> Mask:
    allowed = findings.liver & (findings.lesion_labels == 0)
    return peritumoral_ring(lesion, allowed, findings.geometry, width_mm=width_mm)


def extract_all(
    volume: Volume,
    phases: tuple[AlignedPhase, ...],
    findings: LesionFindings,
    settings: AnalysisSettings,
    progress: Progress,
) -> Extraction:
    """Features of every region in the reference phase and the registered ones.

    A region without features in a phase keeps their names, each NaN with the reason, and is
    listed among the refusals.
    """
    regions = regions_of(findings, settings)
    sets: list[FeatureSet] = []
    refusals = [
        Refusal(name=f"Features of the {p.registration.phase} phase", reason=p.registration.refusal)
        for p in phases
        if p.volume is None
    ]
    usable = [(p.volume, p) for p in phases if p.volume is not None]
    count = max(1, len(regions) * (1 + len(usable)))
    for region in regions:
        for image, phase in [(volume, None), *usable]:
            progress(len(sets) / count, f"{region.name}, {image.series.phase}")
            try:
                sets.append(_extract(region, image, phase))
            except RegionError as error:
                sets.append(_absent(region, image.series.phase, str(error)))
                name = f"Features of {region.name}, {image.series.phase} phase"
                refusals.append(Refusal(name=name, reason=str(error)))
    deep, missing = extract_deep(((volume, None), *usable), findings, settings.encoders, progress)
    changes = describe_changes(sets, findings, volume.series.phase, PARENCHYMA)
    patient = aggregate_patient((*sets, *changes, *deep), findings)
    return Extraction(features=(*sets, *changes, *deep, *patient), refusals=(*refusals, *missing))


def _extract(region: RegionOfInterest, image: Volume, phase: AlignedPhase | None) -> FeatureSet:
    mask = region.draw()
    if phase is not None:
        mask = phase.inside(mask)
    return extract_features(
        image.voxels_hu,
        mask,
        image.geometry,
        region.settings,
        region=region.name,
        phase=image.series.phase,
    )


def _absent(region: RegionOfInterest, phase: ContrastPhase, reason: str) -> FeatureSet:
    return absent_features(region.settings, region=region.name, phase=phase, reason=reason)


def cut_off(findings: LesionFindings) -> Iterator[str]:
    """A sentence for every lesion that the edge of the scan may have cut."""
    for lesion in findings.lesions:
        inside = findings.lesion_labels == lesion.number
        if any(_touches(inside, axis) for axis in range(3)):
            yield (
                f"{lesion.tracking_id} reaches the edge of the scan: its features and those of "
                "its ring describe only the part inside."
            )


def _touches(mask: Mask, axis: int) -> bool:
    ends: Iterable[int] = (0, mask.shape[axis] - 1)
    return any(bool(mask.take(end, axis=axis).any()) for end in ends)
