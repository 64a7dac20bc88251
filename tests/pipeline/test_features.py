"""Regions that cannot be measured keep their names and say why."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import RegionError
from engine.lesions import measure_drawn
from engine.pipeline.features import Extraction, cut_off, extract_all
from engine.pipeline.opening import AnalysisSettings
from engine.pipeline.phases import AlignedPhase
from engine.radiomics import Family, RadiomicsSettings
from engine.values.features import FeatureSet
from engine.values.identity import ContrastPhase
from engine.values.lesion import LesionFindings
from engine.values.progress import silent
from engine.values.registration import PhaseRegistration
from engine.values.volume import Volume
from tests.phantoms.boxes import standard_geometry, volume_of

SHAPE = (24, 40, 40)
SETTINGS = AnalysisSettings(
    radiomics=RadiomicsSettings(families=(Family.MORPHOLOGY, Family.STATISTICS)), ring_mm=6.0
)


def patient(*lesions: tuple[slice, slice, slice]) -> tuple[Volume, LesionFindings]:
    """A liver block with lesion blocks, portal venous."""
    voxels = np.random.default_rng(4).normal(100, 5, SHAPE).round().astype(np.int16)
    liver = np.zeros(SHAPE, bool)
    liver[:20, 4:36, 4:36] = True
    labels = np.zeros(SHAPE, np.uint8)
    for number, box in enumerate(lesions, start=1):
        labels[box] = number
        voxels[box] -= 40
    volume = volume_of(voxels, standard_geometry(SHAPE, (3.0, 2.0, 2.0)))
    volume = replace(volume, series=replace(volume.series, phase=ContrastPhase.PORTAL_VENOUS))
    uids = [f"2.25.{n}" for n in range(1, len(lesions) + 1)]
    return volume, measure_drawn(volume, liver, labels, uids)


INNER = (slice(8, 13), slice(12, 20), slice(12, 20))
AT_THE_EDGE = (slice(0, 3), slice(24, 30), slice(24, 30))


def delayed(volume: Volume, covered: np.ndarray) -> AlignedPhase:
    series = replace(volume.series, phase=ContrastPhase.DELAYED)
    return AlignedPhase(
        registration=PhaseRegistration(
            phase=ContrastPhase.DELAYED, series_instance_uid="1.2", edge_correlation=0.9
        ),
        volume=replace(volume, voxels_hu=volume.voxels_hu - 20, series=series),
        box=(slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2])),
        covered=covered,
    )


def found(extraction: Extraction, region: str, phase: ContrastPhase) -> FeatureSet:
    return next(s for s in extraction.features if (s.region, s.phase) == (region, phase))


def test_a_phase_that_misses_a_part_of_a_lesion_gives_reasons_and_no_numbers() -> None:
    """The other lesion is measured; dynamics of the first say that the phase is missing."""
    volume, findings = patient(INNER, (slice(14, 18), slice(24, 32), slice(24, 32)))
    covered = np.ones(SHAPE, bool)
    covered[:9] = False
    missed = next(les for les in findings.lesions if les.centroid_mm[2] < 80)
    phases = (delayed(volume, covered),)
    extraction = extract_all(volume, phases, findings, SETTINGS, silent)
    region = f"lesion {missed.number}"
    gone = found(extraction, region, ContrastPhase.DELAYED)
    whole = found(extraction, region, ContrastPhase.PORTAL_VENOUS)
    assert [f.name for f in gone.features] == [f.name for f in whole.features]
    assert all(np.isnan(f.value) and "covers" in f.reason for f in gone.features)
    other = found(extraction, f"lesion {3 - missed.number}", ContrastPhase.DELAYED)
    assert all(np.isfinite(f.value) for f in other.features if f.family == Family.STATISTICS)
    told = [r for r in extraction.refusals if region in r.name]
    assert any("delayed" in r.name and "%" in r.reason for r in told)


def test_a_refused_phase_is_listed_and_leaves_the_reference_alone() -> None:
    volume, findings = patient(INNER)
    refused = AlignedPhase(
        registration=PhaseRegistration(
            phase=ContrastPhase.LATE_ARTERIAL,
            series_instance_uid="1.2",
            edge_correlation=0.1,
            refusal="The phase does not fit the reference: edge correlation 0.10",
        )
    )
    extraction = extract_all(volume, (refused,), findings, SETTINGS, silent)
    assert [r.name for r in extraction.refusals] == ["Features of the late arterial phase"]
    assert "0.10" in extraction.refusals[0].reason
    assert {s.phase for s in extraction.features} == {ContrastPhase.PORTAL_VENOUS}


def test_a_lesion_that_fills_the_liver_around_it_has_no_ring() -> None:
    """The ring is empty: names with the reason."""
    volume, findings = patient((slice(0, 20), slice(4, 36), slice(4, 36)))
    extraction = extract_all(volume, (), findings, SETTINGS, silent)
    ring = found(extraction, "lesion 1 ring 6 mm", ContrastPhase.PORTAL_VENOUS)
    assert all(np.isnan(f.value) and "empty" in f.reason for f in ring.features)


def test_a_lesion_at_the_edge_of_the_scan_is_told() -> None:
    _, findings = patient(INNER, AT_THE_EDGE)
    (sentence,) = cut_off(findings)
    edge = next(les for les in findings.lesions if les.centroid_mm[2] < 50)
    assert edge.tracking_id in sentence


def test_the_ring_has_its_limits() -> None:
    with pytest.raises(RegionError, match="0 to 50"):
        AnalysisSettings(ring_mm=-1)
