"""Decide the contrast phase of every group: header first, pixels confirm, else abstain.

Rule
    1. Header statements (``phase_words``) name a phase, contradict each other, or are silent.
    2. Pixels (``landmarks``) leave one or more phases possible, by the HU of the aorta.
    3. Header and pixels agree → that phase. They disagree → unknown. The header contradicts
       itself → unknown. The header is silent and one phase is possible → that phase.
    4. Where several are still possible, the order of acquisition within the study decides:
       non-contrast, late arterial, portal venous and delayed follow each other in time.

HU of the aorta that leave a phase possible (120 kVp)
    non-contrast up to 80: blood has 30 to 60 HU; late arterial from 190; portal venous 100 to
    220; delayed 75 to 140. The neighbors overlap on purpose: dose, cardiac output and tube
    voltage move the curve (Bae 2010, doi:10.1148/radiol.10090908), so a value between two
    phases decides nothing. The bounds are this project's; on the 24 portal venous cases of
    the training and import data the aorta measured 106 to 190 HU. Below 105 kVp iodine is
    brighter, so only non-contrast is told from the rest.
    Kidneys above 110 HU contradict non-contrast; a liver is not used, for fat moves it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.series.attributes import number, text
from engine.series.coarse_look import look_coarsely
from engine.series.grouping import SeriesGroup
from engine.series.landmarks import Landmarks, find_landmarks
from engine.series.phase_words import HeaderPhase, read_header_phase, time_of_day_s
from engine.values.identity import ContrastPhase

AORTA_HU: dict[ContrastPhase, tuple[float, float]] = {
    ContrastPhase.NON_CONTRAST: (-50.0, 80.0),
    ContrastPhase.LATE_ARTERIAL: (190.0, 1000.0),
    ContrastPhase.PORTAL_VENOUS: (100.0, 220.0),
    ContrastPhase.DELAYED: (75.0, 140.0),
}
ENHANCED_KIDNEY_HU = 110.0
LOWEST_RELIABLE_KVP = 105.0
ORDER = tuple(AORTA_HU)
"""The phases in the order they are acquired."""

Evidence = dict[str, str | float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseDecision:
    """The phase of one group, with everything it rests on."""

    phase: ContrastPhase
    reason: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opinion:
    """What header and pixels leave possible for one group, before the order in time."""

    group: SeriesGroup
    header: HeaderPhase
    possible: frozenset[ContrastPhase]
    evidence: Evidence


def decide_phases(groups: Sequence[SeriesGroup]) -> tuple[PhaseDecision, ...]:
    """Decide the phase of each group of one study, in the order given.

    A group whose pixels cannot be read is decided from its header alone, as far as the
    header goes; the evidence says so.
    """
    opinions = [_form_opinion(group) for group in groups]
    first = [_decide(opinion) for opinion in opinions]
    return tuple(
        decision
        if decision.phase is not ContrastPhase.UNKNOWN
        else _by_order(index, opinions, first)
        for index, decision in enumerate(first)
    )


def phases_possible(landmarks: Landmarks, *, kvp: float | None) -> frozenset[ContrastPhase]:
    """Phases that the measured HU leave possible; all of them when nothing was measured."""
    everything = frozenset(ORDER)
    enhanced = everything - {ContrastPhase.NON_CONTRAST}
    if not landmarks.has_spine or landmarks.liver_hu is None:
        return everything
    bright_kidneys = (landmarks.kidney_hu or 0.0) > ENHANCED_KIDNEY_HU
    aorta = landmarks.aorta_hu
    if aorta is None:  # no vessel stands out: unenhanced, unless the kidneys say otherwise
        return everything if bright_kidneys else frozenset({ContrastPhase.NON_CONTRAST})
    if kvp is not None and kvp < LOWEST_RELIABLE_KVP:
        low, high = AORTA_HU[ContrastPhase.NON_CONTRAST]
        return everything if low <= aorta <= high else enhanced
    found = frozenset(phase for phase, (low, high) in AORTA_HU.items() if low <= aorta <= high)
    return found & enhanced if bright_kidneys else found


def _form_opinion(group: SeriesGroup) -> _Opinion:
    header = read_header_phase(group)
    dataset = group.planes[0].instance.header
    kvp = number(dataset, "KVP")
    evidence: Evidence = dict(header.evidence)
    evidence["kVp"] = kvp
    try:
        landmarks = find_landmarks(*look_coarsely(group))
    except InputError as error:
        evidence["pixels"] = f"not looked at: {error}"
        possible = frozenset(ORDER)
    else:
        possible = phases_possible(landmarks, kvp=kvp)
        evidence |= _describe(landmarks)
    evidence["pixels leave possible"] = ", ".join(p.value for p in ORDER if p in possible)
    return _Opinion(group=group, header=header, possible=possible, evidence=evidence)


def _describe(landmarks: Landmarks) -> Evidence:
    values = {
        "aorta HU": landmarks.aorta_hu,
        "liver HU": landmarks.liver_hu,
        "left organ HU": landmarks.left_organ_hu,
        "kidney HU (90th percentile)": landmarks.kidney_hu,
    }
    return {name: None if hu is None else round(hu, 1) for name, hu in values.items()}


def _decide(opinion: _Opinion) -> PhaseDecision:
    header, possible = opinion.header, opinion.possible
    decided = ContrastPhase.UNKNOWN
    if header.is_contradictory:
        reason = "the header's statements contradict each other or name no phase of the liver"
    elif header.phase is not ContrastPhase.UNKNOWN:
        if header.phase in possible:
            decided = header.phase
            confirmed = len(possible) < len(ORDER)
            reason = "header, confirmed by pixels" if confirmed else "header; pixels undecided"
        else:
            reason = f"header says {header.phase.value}, pixels exclude it"
    elif len(possible) == 1:
        decided = next(iter(possible))
        reason = "pixels; the header is silent"
    else:
        reason = "the header is silent and pixels leave several phases possible"
    return PhaseDecision(phase=decided, reason=reason, evidence=opinion.evidence)


def _by_order(
    index: int, opinions: Sequence[_Opinion], decisions: Sequence[PhaseDecision]
) -> PhaseDecision:
    """Let the decided scans before and after narrow what is possible for a silent one."""
    opinion, decision = opinions[index], decisions[index]
    own_time = _acquired_s(opinion.group)
    header_spoke = opinion.header.is_contradictory or opinion.header.phase != ContrastPhase.UNKNOWN
    if header_spoke or own_time is None:
        return decision
    left = set(opinion.possible)
    for other, decided in zip(opinions, decisions, strict=True):
        time = _acquired_s(other.group)
        if decided.phase is ContrastPhase.UNKNOWN or time is None or time == own_time:
            continue
        rank = ORDER.index(decided.phase)
        left = {
            phase
            for phase in left
            if (ORDER.index(phase) > rank if time < own_time else ORDER.index(phase) < rank)
        }
    if len(left) != 1 or len(left) == len(opinion.possible):
        return decision
    evidence = decision.evidence | {"order of acquisition": "decided by the phases around it"}
    return PhaseDecision(
        phase=next(iter(left)), reason="pixels and order of acquisition", evidence=evidence
    )


def _acquired_s(group: SeriesGroup) -> float | None:
    """Median acquisition time of a group in seconds since midnight."""
    times = [
        seconds
        for plane in group.planes
        if (seconds := time_of_day_s(text(plane.instance.header, "AcquisitionTime"))) is not None
    ]
    return float(np.median(times)) if times else None
