"""Choose the series a model may be given, and say why the others were not chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.errors import InvalidGeometryError, NoEligibleSeriesError, SeriesRefusal
from engine.series.grouping import SeriesGroup, group_series
from engine.series.input import StudyScan
from engine.series.kernels import is_soft_tissue
from engine.series.phase import PhaseDecision, decide_phases
from engine.series.stacking import keep_places, plan_stack
from engine.values.identity import ContrastPhase
from engine.values.model import InputCriteria
from engine.values.result import SeriesDecision

ROUNDED_MM = 1
THIN_ENOUGH_MM = 1.0
"""Slices thinner than this count as equal: below, noise grows and nothing is gained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseGroup:
    """One group of slices with its decided phase."""

    group: SeriesGroup
    phase: ContrastPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to analyze.

    Attributes:
        reference: The group to segment.
        phases: The best group of every other phase, for features; criteria's order.
        decisions: One per group or refused series, the reference first.
    """

    reference: PhaseGroup
    phases: tuple[PhaseGroup, ...]
    decisions: tuple[SeriesDecision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    group: SeriesGroup
    decision: PhaseDecision
    refusal: str

    @property
    def phase(self) -> ContrastPhase:
        return self.decision.phase


Damage = Mapping[tuple[str, str], str]
"""Why a group's pixels cannot be read, by series and part of the series."""


def group_key(group: SeriesGroup) -> tuple[str, str]:
    """What tells a group from the others of its study."""
    return group.series.series_instance_uid, group.part


def select_series(
    scan: StudyScan, criteria: InputCriteria, damaged: Damage = MappingProxyType({})
) -> Selection:
    """Choose the reference series and the further phases.

    Args:
        scan: The study's headers.
        criteria: What the model accepts.
        damaged: Groups that turned out to be unreadable; they are refused with the reason.

    Eligible groups fit the criteria and can be assembled by position. Among them the phase
    that comes first in the criteria wins; within a phase original before derived, soft
    tissue before lung and bone kernels, axial before other planes, larger coverage (to a
    centimeter), thinner slices (down to 1 mm), lower series number.

    Raises:
        NoEligibleSeriesError: Nothing fits; one reason per series.
    """
    grouping = group_series(scan)
    described = [
        damaged.get(group_key(group)) or _describe_unfit(group, criteria)
        for group in grouping.groups
    ]
    fit = [group for group, reason in zip(grouping.groups, described, strict=True) if not reason]
    phases = dict(zip(map(id, fit), decide_phases(fit), strict=True))
    silent = PhaseDecision(phase=ContrastPhase.UNKNOWN, reason="not looked at", evidence={})
    candidates = [
        _judge(group, phases.get(id(group), silent), reason, criteria)
        for group, reason in zip(grouping.groups, described, strict=True)
    ]
    eligible = sorted(
        (candidate for candidate in candidates if not candidate.refusal),
        key=lambda candidate: _rank(candidate, criteria),
    )
    if not eligible:
        raise NoEligibleSeriesError(
            scan.study.study_instance_uid, _refusals(candidates, grouping.refusals)
        )
    reference = eligible[0]
    others: dict[ContrastPhase, _Candidate] = {}
    for candidate in eligible[1:]:
        if candidate.phase not in (reference.phase, ContrastPhase.UNKNOWN):
            others.setdefault(candidate.phase, candidate)
    chosen = list(others.values())
    return Selection(
        reference=PhaseGroup(group=reference.group, phase=reference.phase),
        phases=tuple(PhaseGroup(group=c.group, phase=c.phase) for c in chosen),
        decisions=_decisions(reference, chosen, candidates, grouping.refusals),
    )


def _describe_unfit(group: SeriesGroup, criteria: InputCriteria) -> str:
    """Why a group cannot be used whatever its phase; empty when it can."""
    if group.series.modality != criteria.modality:
        return f"modality {group.series.modality}, {criteria.modality} is needed"
    if group.slice_count < max(criteria.minimum_slices, 2):
        return f"{group.slice_count} slices, at least {criteria.minimum_slices} are needed"
    if group.slice_spacing_mm > criteria.maximum_slice_mm + 0.05:
        return (
            f"slice spacing {group.slice_spacing_mm:.2f} mm, "
            f"at most {criteria.maximum_slice_mm:g} mm"
        )
    if group.coverage_mm < criteria.minimum_coverage_mm:
        return (
            f"covers {group.coverage_mm:.0f} mm, "
            f"at least {criteria.minimum_coverage_mm:g} mm are needed"
        )
    try:
        plan_stack(keep_places(group.planes))
    except InvalidGeometryError as error:
        return str(error)
    return ""


def _judge(
    group: SeriesGroup, decision: PhaseDecision, unfit: str, criteria: InputCriteria
) -> _Candidate:
    refusal = unfit
    if not refusal and decision.phase not in criteria.phases:
        refusal = f"phase {decision.phase.value} ({decision.reason}) is not accepted"
    return _Candidate(group=group, decision=decision, refusal=refusal)


def _rank(candidate: _Candidate, criteria: InputCriteria) -> tuple[float, ...]:
    group = candidate.group
    return (
        criteria.phases.index(candidate.phase),
        not group.is_original,
        not is_soft_tissue(group.kernel),
        abs(group.planes[0].normal[2]) < 0.7,
        -round(group.coverage_mm, -ROUNDED_MM),
        max(group.slice_spacing_mm, THIN_ENOUGH_MM),
        group.series.series_number if group.series.series_number is not None else 1e9,
    )


def _refusals(
    candidates: list[_Candidate], others: tuple[SeriesRefusal, ...]
) -> tuple[SeriesRefusal, ...]:
    return (
        *(
            SeriesRefusal(
                series_instance_uid=c.group.series.series_instance_uid,
                reason=_named(c.group, c.refusal),
            )
            for c in candidates
        ),
        *others,
    )


def _decisions(
    reference: _Candidate,
    chosen: list[_Candidate],
    candidates: list[_Candidate],
    refused: tuple[SeriesRefusal, ...],
) -> tuple[SeriesDecision, ...]:
    decisions = [_decision(reference, "reference", f"phase by {reference.decision.reason}")]
    decisions += [_decision(c, "phase", f"phase by {c.decision.reason}") for c in chosen]
    used = {id(c) for c in (reference, *chosen)}
    for candidate in candidates:
        if id(candidate) not in used:
            reason = candidate.refusal or _beaten(candidate)
            decisions.append(_decision(candidate, "refused", reason))
    decisions += [
        SeriesDecision(
            series_instance_uid=refusal.series_instance_uid,
            description="",
            phase=ContrastPhase.UNKNOWN,
            role="refused",
            reason=refusal.reason,
            evidence={},
        )
        for refusal in refused
    ]
    return tuple(decisions)


def _beaten(candidate: _Candidate) -> str:
    if candidate.phase is ContrastPhase.UNKNOWN:
        return f"phase unknown ({candidate.decision.reason}); a better series was used"
    return f"another {candidate.phase.value} series was preferred"


def _decision(candidate: _Candidate, role: str, reason: str) -> SeriesDecision:
    group = candidate.group
    return SeriesDecision(
        series_instance_uid=group.series.series_instance_uid,
        description=group.series.series_description,
        phase=candidate.phase,
        role=role,
        reason=_named(group, reason),
        evidence={
            **candidate.decision.evidence,
            "slices": float(group.slice_count),
            "slice spacing mm": round(group.slice_spacing_mm, 3),
            "coverage mm": round(group.coverage_mm, 1),
            "kernel": group.kernel or None,
            "original": "yes" if group.is_original else "no",
            "left out": "; ".join(group.notes) or None,
        },
    )


def _named(group: SeriesGroup, reason: str) -> str:
    return f"{group.part}: {reason}" if group.part else reason
