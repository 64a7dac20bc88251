"""What the charts of a lesion show, as numbers: intensities, phases, features by region."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.values.features import FeatureSet
from engine.values.identity import ContrastPhase
from engine.values.lesion import Lesion
from engine.values.result import AnalysisResult

BINS_HU = np.arange(-100.0, 301.0, 10.0)
ORDER = (
    ContrastPhase.NON_CONTRAST,
    ContrastPhase.LATE_ARTERIAL,
    ContrastPhase.PORTAL_VENOUS,
    ContrastPhase.DELAYED,
)
PARENCHYMA = "liver parenchyma"
MEAN, VARIANCE, LOW, HIGH = "Q4LE", "ECT3", "QG58", "8DWT"
PLAIN_ROWS = (("Skewness", "KE2A"), ("Histogram entropy, bit", "TLU2"), ("Sphericity", "QCFX"))
DYNAMIC_ROWS = (
    ("Arterial enhancement, HU", "Enhancement, late arterial"),
    ("Washout, portal (relative)", "Relative washout, portal venous"),
    ("Washout, delayed (relative)", "Relative washout, delayed"),
)
ABSENT = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionChart:
    """One lesion beside the liver around it.

    Attributes:
        number: The lesion's number, which gives its color.
        title: Lesion with its size.
        lesion_share, liver_share: Share of voxels per bin of ``BINS_HU``; those beyond its
            ends count to the outermost bins.
        phases: (phase, mean HU of the lesion, mean HU of the parenchyma), in order of time;
            None where a region has no value.
        rows: Feature, lesion, ring, parenchyma, as text.
        ring: What the ring is called; empty without one.
    """

    number: int
    title: str
    lesion_share: NDArray[np.float64] = field(repr=False)
    liver_share: NDArray[np.float64] = field(repr=False)
    phases: tuple[tuple[ContrastPhase, float | None, float | None], ...]
    rows: tuple[tuple[str, str, str, str], ...]
    ring: str


def chart_lesions(result: AnalysisResult, maximum: int) -> tuple[LesionChart, ...]:
    """Charts of the largest lesions in the reference phase, with one phase or with several."""
    findings, hu = result.findings, result.reference.voxels_hu
    labels = findings.lesion_labels
    liver = _shares(hu[findings.liver & (labels == 0)])
    return tuple(
        LesionChart(
            number=lesion.number,
            title=f"{lesion.tracking_id}, {lesion.long_axis.length_mm:.1f} mm",
            lesion_share=_shares(hu[labels == lesion.number]),
            liver_share=liver,
            phases=_phases(result, lesion),
            rows=_rows(result, lesion),
            ring=_ring_region(result, lesion).partition(" ring ")[2],
        )
        for lesion in findings.lesions[:maximum]
    )


def _shares(intensities_hu: NDArray[np.int16]) -> NDArray[np.float64]:
    inside = np.clip(intensities_hu, BINS_HU[0], BINS_HU[-1] - 1)
    counts, _ = np.histogram(inside, BINS_HU)
    return counts / max(1, intensities_hu.size)


def _sets(result: AnalysisResult, region: str, phase: ContrastPhase) -> list[FeatureSet]:
    return [
        s for s in result.features if s.region.casefold() == region.casefold() and s.phase is phase
    ]


def _value(result: AnalysisResult, region: str, phase: ContrastPhase, wanted: str) -> float | None:
    """A feature of the unfiltered image by IBSI code or name; None without a finite value."""
    for features in _sets(result, region, phase):
        for feature in features.features:
            named = wanted in (feature.ibsi_code, feature.name)
            if named and not feature.filter and math.isfinite(feature.value):
                return feature.value
    return None


def _phases(
    result: AnalysisResult, lesion: Lesion
) -> tuple[tuple[ContrastPhase, float | None, float | None], ...]:
    found = []
    for phase in ORDER:
        own = _value(result, f"lesion {lesion.number}", phase, MEAN)
        around = _value(result, PARENCHYMA, phase, MEAN)
        if own is not None or around is not None:
            found.append((phase, own, around))
    return tuple(found)


def _ring_region(result: AnalysisResult, lesion: Lesion) -> str:
    start = f"lesion {lesion.number} ring "
    return next((s.region for s in result.features if s.region.startswith(start)), "")


def _rows(result: AnalysisResult, lesion: Lesion) -> tuple[tuple[str, str, str, str], ...]:
    phase = result.reference.series.phase
    regions = (f"lesion {lesion.number}", _ring_region(result, lesion), PARENCHYMA)

    def across(label: str, *wanted: str) -> tuple[str, str, str, str]:
        cells = []
        for region in regions:
            values = [_value(result, region, phase, w) if region else None for w in wanted]
            cells.append(_cell(label, values))
        return label, cells[0], cells[1], cells[2]

    rows = [
        across("Mean, HU", MEAN),
        across("Standard deviation, HU", VARIANCE),
        across("10th to 90th perc., HU", LOW, HIGH),
        *(across(label, code) for label, code in PLAIN_ROWS),
        *(across(label, name) for label, name in DYNAMIC_ROWS),
    ]
    return tuple(row for row in rows if any(cell != ABSENT for cell in row[1:]))


def _cell(label: str, values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return ABSENT
    if label.startswith("Standard deviation"):
        known = [math.sqrt(max(known[0], 0.0))]
    if label.startswith("Washout"):
        return f"{known[0]:.0%}"
    if "HU" in label:
        return " to ".join(f"{value:.0f}" for value in known)
    return f"{known[0]:.2f}"
