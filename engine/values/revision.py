"""What a person changed about an automatic result, and what that changed."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Origin(StrEnum):
    """Who drew a segment; the words of Segment Algorithm Type (PS3.3 C.8.20.2)."""

    AUTOMATIC = "AUTOMATIC"
    SEMIAUTOMATIC = "SEMIAUTOMATIC"
    MANUAL = "MANUAL"


class Decision(StrEnum):
    """What the observer said about a lesion."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_REVIEWED = "not reviewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Who verified a corrected result (Verifying Observer Sequence, PS3.3 C.17.2).

    Attributes:
        name: As DICOM PN ("Weber^Anna") or free text.
        organization: Hospital or department.
        verified_at: Timezone-aware.
    """

    name: str
    organization: str
    verified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChange:
    """One segment against the automatic result.

    Attributes:
        was: Its name in the automatic result; empty for a new one.
        now: Its name in this result; empty when it is gone.
        tracking_uid: The same in both results.
        origin: Who drew it as it is now.
        decision: What the observer said; for the liver NOT_REVIEWED.
        volume_before_ml: None for a new segment or without an automatic result.
        volume_ml: None when it is gone.
        dice: 2·|A∩B| / (|A|+|B|) with the automatic segment; None where one is missing.
    """

    was: str
    now: str
    tracking_uid: str
    origin: Origin
    decision: Decision
    volume_before_ml: float | None
    volume_ml: float | None
    dice: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskChange:
    """One risk package's answer before and after.

    Attributes:
        package: "name version".
        outcome: What is predicted.
        group_before, group: Risk groups; empty where the package gave no answer.
        percentile_before, percentile: None where the package gave no answer.
        survival: (months, event-free before, event-free now) at times both curves have.
    """

    package: str
    outcome: str
    group_before: str
    group: str
    percentile_before: float | None
    percentile: float | None
    survival: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """How a result came from a person's contours.

    Attributes:
        observer: Who verified it; None when nobody put a name to it.
        automatic_job_id: Job of the automatic result; empty when it was not at hand, and
            then nothing could be compared.
        liver_tracking_uid: Tracking UID of the liver in the automatic result.
        changes: The liver, the lesions as they are now, the lesions that are gone.
        risks: Per risk package of either result.
    """

    observer: Observer | None = field(repr=False)
    automatic_job_id: str
    liver_tracking_uid: str
    changes: tuple[SegmentChange, ...]
    risks: tuple[RiskChange, ...] = ()

    def origin_of(self, tracking_uid: str) -> Origin:
        """Who drew a segment."""
        for change in self.changes:
            if change.tracking_uid == tracking_uid:
                return change.origin
        return Origin.AUTOMATIC
