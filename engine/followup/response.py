"""RECIST 1.1 (doi:10.1016/j.ejca.2008.10.026) and mRECIST (doi:10.1055/s-0030-1247132).

Only the liver is looked at, and only what the segmentation holds: categories are those that
the rules give for these lesions, not a reading of the patient.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.values.followup import (
    LesionCourse,
    LesionGroup,
    LesionSize,
    Response,
    ResponseAssessment,
)

RECIST = "RECIST 1.1 (doi:10.1016/j.ejca.2008.10.026)"
MRECIST = "mRECIST (doi:10.1055/s-0030-1247132)"
MEASURABLE_MM = 10.0
THICK_SLICE_MM = 5.0
MAXIMUM_TARGETS = 2
"""RECIST 1.1, 4.2: at most two target lesions per organ; this engine sees one organ."""
PARTIAL = -0.30
PROGRESSION = 0.20
PROGRESSION_MM = 5.0
DECIDED = 1e-9
"""Rounding of sums must not turn exactly 20 % or 30 % into less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viable:
    """Viable (arterially enhancing) longest diameters that a reader measured, mm, by number."""

    baseline: Mapping[int, float]
    followup: Mapping[int, float]


def choose_targets(groups: Sequence[LesionGroup], *, slice_mm: float) -> tuple[LesionGroup, ...]:
    """Mark the groups whose baseline lesions are targets and give each its share of the sums.

    Args:
        groups: From ``match_lesions``.
        slice_mm: Slice spacing at baseline; above 5 mm a lesion must be twice it to be
            measurable (RECIST 1.1, 3.1.1).
    """
    least = MEASURABLE_MM if slice_mm <= THICK_SLICE_MM else 2 * slice_mm
    lesions = sorted(
        (lesion for group in groups for lesion in group.baseline),
        key=lambda lesion: (-lesion.long_axis_mm, lesion.number),
    )
    targets = {le.number for le in lesions if le.long_axis_mm >= least}
    targets = {le.number for le in lesions[:MAXIMUM_TARGETS] if le.number in targets}
    marked = []
    for group in groups:
        ours = [le for le in group.baseline if le.number in targets]
        marked.append(
            replace(
                group,
                is_target=bool(ours),
                baseline_mm=sum(le.long_axis_mm for le in ours),
                followup_mm=sum(le.long_axis_mm for le in group.followup) if ours else 0.0,
            )
        )
    return tuple(marked)


def assess_recist(
    groups: Sequence[LesionGroup], *, earlier_nadir_mm: float | None = None
) -> ResponseAssessment:
    """Apply RECIST 1.1 to groups with chosen targets.

    Args:
        groups: From ``choose_targets``.
        earlier_nadir_mm: Smallest sum of the same targets at an examination in between;
            None when there was none.
    """
    before = sum(group.baseline_mm for group in groups)
    now = sum(group.followup_mm for group in groups)
    has_targets = any(group.is_target for group in groups)
    nadir = before if earlier_nadir_mm is None else min(before, earlier_nadir_mm)
    rules = [_sum_rule(groups)]
    target = Response.NOT_DECIDED
    if has_targets:
        target, told = _target_response(before, nadir, now)
        rules.append(told)
    non_target, told = _non_target_response(groups)
    rules.append(told)
    fresh, faint = _new_lesions(groups)
    overall, told = _overall(has_targets, target, non_target, bool(fresh))
    if fresh:
        rules.append(f"New lesion(s) {_numbers(fresh)} of at least {MEASURABLE_MM:.0f} mm.")
    rules.append(told)
    return ResponseAssessment(
        criteria=RECIST,
        baseline_sum_mm=before if has_targets else None,
        followup_sum_mm=now if has_targets else None,
        nadir_sum_mm=nadir if has_targets else None,
        change_from_baseline=_change(before, now) if has_targets else None,
        change_from_nadir=_change(nadir, now) if has_targets else None,
        target=target if has_targets or groups else Response.NO_DISEASE,
        non_target=non_target,
        overall=overall,
        rules=tuple(rules),
        undecided=_undecided(groups, faint, earlier_nadir_mm),
    )


def _target_response(before: float, nadir: float, now: float) -> tuple[Response, str]:
    """RECIST 1.1, 4.3.1."""
    if now == 0:
        return Response.COMPLETE, "Targets: all disappeared."
    if nadir == 0:
        return Response.PROGRESSION, f"Targets: {now:.1f} mm after all had disappeared."
    rise = now - nadir
    if rise >= PROGRESSION * nadir - DECIDED and rise >= PROGRESSION_MM - DECIDED:
        return Response.PROGRESSION, (
            f"Targets: {now:.1f} mm is {rise:+.1f} mm ({_percent(nadir, now)}) from the smallest "
            f"sum {nadir:.1f} mm; at least 20 % and 5 mm is progression."
        )
    if now - before <= PARTIAL * before + DECIDED:
        return Response.PARTIAL, (
            f"Targets: {now:.1f} mm is {_percent(before, now)} from baseline {before:.1f} mm; "
            "at least 30 % less is partial response."
        )
    return Response.STABLE, (
        f"Targets: {now:.1f} mm is {_percent(before, now)} from baseline {before:.1f} mm and "
        f"{_percent(nadir, now)} ({rise:+.1f} mm) from the smallest sum {nadir:.1f} mm; neither "
        "30 % less than baseline nor 20 % and 5 mm more than the smallest sum."
    )


def _non_target_response(groups: Sequence[LesionGroup]) -> tuple[Response, str]:
    """RECIST 1.1, 4.3.3, but for unequivocal progression, which is a reader's judgment."""
    others = [group for group in groups if group.baseline and not group.is_target]
    if not others:
        return Response.NO_DISEASE, "Non-targets: none at baseline."
    if all(group.course is LesionCourse.DISAPPEARED for group in others):
        return Response.COMPLETE, "Non-targets: all disappeared."
    return Response.NON_CR_NON_PD, "Non-targets: at least one persists."


def _overall(
    has_targets: bool, target: Response, non_target: Response, is_new: bool
) -> tuple[Response, str]:
    """RECIST 1.1, 4.4.1, tables 1 and 2."""
    if is_new or target is Response.PROGRESSION:
        return Response.PROGRESSION, "Overall: progression of targets or a new lesion."
    if not has_targets:
        if non_target is Response.NO_DISEASE:
            return Response.NO_DISEASE, "Overall: no lesion at either examination."
        return non_target, "Overall: non-target lesions alone (table 2)."
    if target is Response.COMPLETE and non_target is Response.NON_CR_NON_PD:
        return Response.PARTIAL, "Overall: targets disappeared, non-targets persist (table 1)."
    return target, "Overall: as the targets (table 1)."


def _new_lesions(
    groups: Sequence[LesionGroup],
) -> tuple[list[LesionSize], list[LesionSize]]:
    """New lesions that count, and those too small to be unequivocal (RECIST 1.1, 4.3.5)."""
    fresh = [g.followup[0] for g in groups if g.course is LesionCourse.NEW]
    return (
        [le for le in fresh if le.long_axis_mm >= MEASURABLE_MM],
        [le for le in fresh if le.long_axis_mm < MEASURABLE_MM],
    )


def _undecided(
    groups: Sequence[LesionGroup], faint: list[LesionSize], earlier_nadir_mm: float | None
) -> tuple[str, ...]:
    told = [
        "Lesions outside the liver, lymph nodes, ascites and pleural effusion are not looked at.",
        "Unequivocal progression of non-target lesions is a reader's judgment.",
        "Lesions are what the segmentation holds; none is proven to be a carcinoma, and a "
        "lesion may be new because it was missed before.",
    ]
    if earlier_nadir_mm is None:
        told.append("The smallest sum is taken from these two examinations alone.")
    if faint:
        told.append(
            f"New lesion(s) {_numbers(faint)} below {MEASURABLE_MM:.0f} mm: equivocal, not "
            "counted as progression; look again at the next examination."
        )
    if any(group.course is LesionCourse.ENTANGLED for group in groups):
        told.append("Lesions that both split and merged: their share is the sum of what is there.")
    return tuple(told)


def assess_mrecist(
    groups: Sequence[LesionGroup], viable: Viable | None, *, earlier_nadir_mm: float | None = None
) -> ResponseAssessment:
    """Apply mRECIST, as far as it can be: viable tumor is the arterially enhancing part.

    Args:
        groups: From ``choose_targets``.
        viable: Viable diameters a reader measured for the targets; None when nobody did.
        earlier_nadir_mm: As in ``assess_recist``, of viable diameters.
    """
    targets = [group for group in groups if group.is_target]
    missing = _missing_viable(targets, viable)
    if targets and not missing and viable is not None:
        return _with_viable(groups, viable, earlier_nadir_mm)
    gone = bool(targets) and all(g.course is LesionCourse.DISAPPEARED for g in targets)
    target = Response.COMPLETE if gone else Response.NOT_DECIDED
    rules = ["mRECIST sums the longest diameters of viable (arterially enhancing) tumor."]
    if gone:
        rules.append("Targets: all disappeared, so nothing viable is left of them.")
    upper = sum(group.followup_mm for group in targets)
    if targets and not gone:
        rules.append(f"The viable sum at follow-up is at most the whole-lesion sum {upper:.1f} mm.")
    undecided = [
        "The engine does not tell viable from necrotic tumor: lesions are segmented whole. "
        f"Viable diameters are needed for: {', '.join(missing)}."
        if missing
        else "There is no target lesion."
    ]
    fresh, _ = _new_lesions(groups)
    if fresh:
        undecided.append(
            f"New lesion(s) {_numbers(fresh)}: mRECIST counts a new nodule of at least 10 mm as "
            "progression when it shows arterial enhancement with washout, or when it grows by "
            "10 mm; the pattern is for a reader to judge."
        )
    return ResponseAssessment(
        criteria=MRECIST,
        baseline_sum_mm=None,
        followup_sum_mm=0.0 if gone else None,
        nadir_sum_mm=None,
        change_from_baseline=-1.0 if gone else None,
        change_from_nadir=None,
        target=target,
        non_target=Response.NOT_DECIDED,
        overall=Response.NOT_DECIDED,
        rules=tuple(rules),
        undecided=tuple(undecided),
    )


def _missing_viable(targets: Sequence[LesionGroup], viable: Viable | None) -> list[str]:
    baseline = {} if viable is None else viable.baseline
    followup = {} if viable is None else viable.followup
    missing = [f"baseline lesion {le.number}" for g in targets for le in g.baseline
               if le.number not in baseline]  # fmt: skip
    return missing + [f"follow-up lesion {le.number}" for g in targets for le in g.followup
                      if le.number not in followup]  # fmt: skip


def _with_viable(
    groups: Sequence[LesionGroup], viable: Viable, earlier_nadir_mm: float | None
) -> ResponseAssessment:
    """The same rules on viable diameters."""
    swapped = [
        replace(
            group,
            baseline_mm=sum(viable.baseline[le.number] for le in group.baseline),
            followup_mm=sum(viable.followup[le.number] for le in group.followup),
        )
        if group.is_target
        else group
        for group in groups
    ]
    found = assess_recist(swapped, earlier_nadir_mm=earlier_nadir_mm)
    told = "Diameters are the viable ones that a reader measured."
    return replace(found, criteria=MRECIST, rules=(told, *found.rules))


def _sum_rule(groups: Sequence[LesionGroup]) -> str:
    named = [
        f"{'+'.join(str(le.number) for le in g.baseline)} ({g.course.value})"
        for g in groups
        if g.is_target
    ]
    if not named:
        return "Targets: none (no lesion was measurable at baseline)."
    return f"Targets: baseline lesion(s) {', '.join(named)}; at most two in the liver."


def _numbers(lesions: Sequence[LesionSize]) -> str:
    return ", ".join(str(lesion.number) for lesion in lesions)


def _change(before: float, now: float) -> float | None:
    return (now - before) / before if before else None


def _percent(before: float, now: float) -> str:
    change = _change(before, now)
    return "undefined" if change is None else f"{change:+.1%}"
