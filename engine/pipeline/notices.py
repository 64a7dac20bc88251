"""What a reader of the result must know before trusting a number."""

from collections import Counter

from engine.clinical.join import availability_warnings
from engine.series.input import StudyScan
from engine.values.clinical import ClinicalRecord
from engine.values.identity import ContrastPhase
from engine.values.lesion import LesionFindings
from engine.values.volume import Volume


def notices(
    study: StudyScan,
    volume: Volume,
    findings: LesionFindings,
    record: ClinicalRecord | None = None,
) -> tuple[str, ...]:
    """What a reader of the result must know before trusting a number."""
    warnings = [*study.notes, *volume.notes]
    for reason, count in Counter(junk.reason for junk in study.junk).items():
        warnings.append(f"{count} file(s) of the input were not used: {reason}")
    if volume.series.phase is ContrastPhase.UNKNOWN:
        warnings.append("The contrast phase could not be established; see the series table.")
    edges = findings.liver[[0, -1]].any(axis=(1, 2))
    if edges.any():
        warnings.append(
            "The liver reaches the edge of the scan: its volume and lesions may be cut off."
        )
    if record is not None:
        warnings += availability_warnings(record)
    return tuple(warnings)
