"""Between phases, and from lesions to the patient."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from engine.radiomics.aggregation import LesionAggregation, aggregate_lesions
from engine.radiomics.phases import ORDER, describe_contrast, describe_dynamics, subtract_phases
from engine.values.features import FeatureSet
from engine.values.identity import ContrastPhase
from engine.values.lesion import LesionFindings

BETWEEN = "between phases"
ByPhase = dict[ContrastPhase, FeatureSet]


def describe_changes(
    sets: Sequence[FeatureSet],
    findings: LesionFindings,
    reference: ContrastPhase,
    background: str,
) -> tuple[FeatureSet, ...]:
    """Dynamics of every lesion, and the differences of its features between phases.

    Enhancement, washout and contrast to the background are listed under the lesion and the
    reference phase, always all of them; a missing phase is said in the reason. Differences
    (later minus earlier) are listed under "lesion 1 between phases" for the phases there are.

    Args:
        sets: Features per region and phase.
        findings: The lesions.
        reference: Phase the dynamics are listed under.
        background: Name of the region lesions are compared with.
    """
    changes: list[FeatureSet] = []
    around = _by_phase(sets, background)
    for lesion in findings.lesions:
        name = f"lesion {lesion.number}"
        own = _by_phase(sets, name)
        if not own:
            continue
        dynamics = (*describe_dynamics(own), *describe_contrast(own, around))
        settings = next(iter(own.values())).settings
        changes.append(
            FeatureSet(region=name, phase=reference, features=dynamics, settings=settings)
        )
        at_hand = [phase for phase in ORDER if phase in own]
        changes += [
            replace(subtract_phases(own[late], own[early]), region=f"{name} {BETWEEN}")
            for early, late in combinations(at_hand, 2)
        ]
    return tuple(changes)


def _by_phase(sets: Sequence[FeatureSet], region: str) -> ByPhase:
    return {s.phase: s for s in sets if s.region == region}


def aggregate_patient(
    sets: Sequence[FeatureSet], findings: LesionFindings
) -> tuple[FeatureSet, ...]:
    """The lesions' features as the patient's, by every rule, per phase and for the dynamics."""
    names = [f"lesion {lesion.number}" for lesion in findings.lesions]
    volumes = [lesion.volume_ml for lesion in findings.lesions]
    columns: dict[tuple[ContrastPhase, int], list[FeatureSet]] = {}
    for name in names:
        seen: dict[ContrastPhase, int] = {}
        for one in sets:
            if one.region == name:
                seen[one.phase] = seen.get(one.phase, 0) + 1
                columns.setdefault((one.phase, seen[one.phase]), []).append(one)
    return tuple(
        aggregate_lesions(column, volumes, how)
        for column in columns.values()
        for how in LesionAggregation
    )
