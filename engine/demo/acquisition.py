"""The scan the demo study pretends to be: grid, phases, times, contrast."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.values.identity import ContrastPhase

STUDY_STARTED_AT = datetime(2026, 1, 5, 10, 12, 0)
INJECTION_STARTED_AT = STUDY_STARTED_AT + timedelta(minutes=3, seconds=20)
INJECTION = {"volume_ml": 110.0, "flow_ml_per_s": 3.5, "iodine_mg_per_ml": 350.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Voxels (slice, row, column) and their distances in mm."""

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]


DEMO_GRID = Grid(shape=(160, 512, 512), spacing_mm=(1.5, 0.75, 0.75))


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseScan:
    """One pass over the abdomen.

    Attributes:
        phase: Contrast phase.
        series_number: As a technologist would count.
        description: Series Description.
        started_at: Start of acquisition.
        breathing_mm: Position of the abdomen against the portal venous pass; positive
            toward the head. The truth masks belong to the portal venous pass.
    """

    phase: ContrastPhase
    series_number: int
    description: str
    started_at: datetime
    breathing_mm: float

    @property
    def is_contrast_enhanced(self) -> bool:
        """Whether contrast medium was given before this pass."""
        return self.started_at > INJECTION_STARTED_AT


def _after_injection(seconds: float) -> datetime:
    return INJECTION_STARTED_AT + timedelta(seconds=seconds)


PHASE_SCANS = (
    PhaseScan(
        phase=ContrastPhase.NON_CONTRAST,
        series_number=2,
        description="Abdomen non-contrast 1.5 Br40",
        started_at=STUDY_STARTED_AT + timedelta(seconds=75),
        breathing_mm=-2.5,
    ),
    PhaseScan(
        phase=ContrastPhase.LATE_ARTERIAL,
        series_number=3,
        description="Abdomen late arterial 1.5 Br40",
        started_at=_after_injection(36),
        breathing_mm=1.8,
    ),
    PhaseScan(
        phase=ContrastPhase.PORTAL_VENOUS,
        series_number=4,
        description="Abdomen portal venous 1.5 Br40",
        started_at=_after_injection(72),
        breathing_mm=0.0,
    ),
    PhaseScan(
        phase=ContrastPhase.DELAYED,
        series_number=5,
        description="Abdomen delayed 3 min 1.5 Br40",
        started_at=_after_injection(185),
        breathing_mm=-1.2,
    ),
)

STUDY_ENDED_AT = _after_injection(240)
