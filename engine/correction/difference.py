"""A corrected result held against the automatic one."""

import numpy as np
from numpy.typing import NDArray

from engine.correction.automatic import AutomaticResult
from engine.correction.drawn import Box, Drawn, DrawnLesion
from engine.values.lesion import LesionFindings
from engine.values.prognosis import RiskPrediction
from engine.values.revision import Decision, Observer, Origin, Revision, RiskChange, SegmentChange

COMPARED_MONTHS = (12.0, 24.0, 60.0)
LIVER = "Liver"
Mask = tuple[Box, NDArray[np.bool_]]


def dice(first: Mask, second: Mask) -> float:
    """2·|A∩B| / (|A|+|B|) of two masks in boxes of one grid (doi:10.2307/1932409)."""
    (box_a, mask_a), (box_b, mask_b) = first, second
    low = [max(a.start, b.start) for a, b in zip(box_a, box_b, strict=True)]
    high = [min(a.stop, b.stop) for a, b in zip(box_a, box_b, strict=True)]
    common = 0
    if all(a < b for a, b in zip(low, high, strict=True)):
        in_a, in_b = (
            mask[tuple(slice(lo - s.start, hi - s.start) for lo, hi, s in zip(low, high, box,
                                                                            strict=True))]
            for box, mask in (first, second)
        )  # fmt: skip
        common = int(np.count_nonzero(in_a & in_b))
    return 2.0 * common / (int(mask_a.sum()) + int(mask_b.sum()))


def compare(
    drawn: Drawn,
    numbered: tuple[DrawnLesion, ...],
    findings: LesionFindings,
    automatic: AutomaticResult | None,
    observer: Observer | None,
) -> Revision:
    """Say what was changed; risks are added once the new prediction is there.

    Args:
        drawn: What the person drew, with the decisions.
        numbered: The lesions as numbered in ``findings``, same order.
        findings: Measured on the drawing.
        automatic: The automatic result; None when it is not at hand.
        observer: Who verifies.
    """
    voxel_ml = findings.geometry.spacing.voxel_ml
    earlier = (
        {} if automatic is None else {les.tracking_uid: les for les in automatic.drawn.lesions}
    )
    changes = [_liver_change(findings, automatic, drawn)]
    for lesion, measured in zip(numbered, findings.lesions, strict=True):
        before = earlier.pop(measured.tracking_uid, None)
        same = (
            None if before is None else dice((before.box, before.mask), (lesion.box, lesion.mask))
        )
        changes.append(
            SegmentChange(
                was="" if automatic is not None and before is None else lesion.name,
                now=measured.tracking_id,
                tracking_uid=measured.tracking_uid,
                origin=_origin(automatic, before, same),
                decision=lesion.decision,
                volume_before_ml=None if before is None else int(before.mask.sum()) * voxel_ml,
                volume_ml=measured.volume_ml,
                dice=same,
            )
        )
    changes += [_gone(lesion, drawn, voxel_ml) for lesion in earlier.values()]
    return Revision(
        observer=observer,
        automatic_job_id="" if automatic is None else automatic.job_id,
        liver_tracking_uid=changes[0].tracking_uid,
        changes=tuple(changes),
    )


def _gone(lesion: DrawnLesion, drawn: Drawn, voxel_ml: float) -> SegmentChange:
    """An automatic lesion that was rejected or erased."""
    rejected = {les.tracking_uid for les in drawn.lesions if les.decision is Decision.REJECTED}
    return SegmentChange(
        was=lesion.name,
        now="",
        tracking_uid=lesion.tracking_uid,
        origin=Origin.AUTOMATIC,
        decision=Decision.REJECTED if lesion.tracking_uid in rejected else Decision.NOT_REVIEWED,
        volume_before_ml=int(lesion.mask.sum()) * voxel_ml,
        volume_ml=None,
        dice=None,
    )


def _origin(
    automatic: AutomaticResult | None, before: DrawnLesion | None, same: float | None
) -> Origin:
    if automatic is None:
        return Origin.SEMIAUTOMATIC
    if before is None:
        return Origin.MANUAL
    return Origin.AUTOMATIC if same == 1.0 else Origin.SEMIAUTOMATIC


def _liver_change(
    findings: LesionFindings, automatic: AutomaticResult | None, drawn: Drawn
) -> SegmentChange:
    voxel_ml = findings.geometry.spacing.voxel_ml
    same = before_ml = None
    if automatic is not None:
        before = whole_liver(automatic.drawn)
        whole: Box = (slice(0, before.shape[0]), slice(0, before.shape[1]),
                      slice(0, before.shape[2]))  # fmt: skip
        same = dice((whole, before), (whole, findings.liver))
        before_ml = int(before.sum()) * voxel_ml
    uid = drawn.liver_tracking_uid if automatic is None else automatic.liver_tracking_uid
    return SegmentChange(
        was=LIVER,
        now=LIVER,
        tracking_uid=uid,
        origin=Origin.AUTOMATIC if same == 1.0 else Origin.SEMIAUTOMATIC,
        decision=Decision.NOT_REVIEWED,
        volume_before_ml=before_ml,
        volume_ml=findings.burden.liver_volume_ml,
        dice=same,
    )


def whole_liver(drawn: Drawn) -> NDArray[np.bool_]:
    """The organ with every lesion that is part of it."""
    organ = drawn.liver.copy()
    for lesion in drawn.lesions:
        organ[lesion.box] |= lesion.mask
    return organ


def compare_risks(
    automatic: AutomaticResult | None, predictions: tuple[RiskPrediction, ...]
) -> tuple[RiskChange, ...]:
    """Each risk package's answer before and after; nothing without an automatic result."""
    if automatic is None:
        return ()
    before = {entry["package"]: entry for entry in automatic.document["predictions"]}
    now = {prediction.package: prediction for prediction in predictions}
    changes = []
    for package in sorted({*before, *now}):
        old, new = before.get(package), now.get(package)
        survival: list[tuple[float, float, float]] = []
        if old is not None and new is not None:
            curve = dict(zip(old["times_months"], old["survival"], strict=True))
            survival = [
                (month, float(curve[month]), value)
                for month, value in zip(new.times_months, new.survival, strict=True)
                if month in COMPARED_MONTHS and month in curve
            ]
        changes.append(
            RiskChange(
                package=package,
                outcome=new.outcome if new is not None else str(old["outcome"]) if old else "",
                group_before="" if old is None else str(old["risk_group"]),
                group="" if new is None else new.risk_group,
                percentile_before=None if old is None else float(old["percentile"]),
                percentile=None if new is None else new.percentile,
                survival=tuple(survival),
            )
        )
    return tuple(changes)
