"""Clinical values, score inputs and units in words that reports share."""

from engine.reporting.wording import format_value
from engine.values.clinical import ClinicalRecord, Observation
from engine.values.prognosis import Score, ScoreInput

NO_SOURCE = "no clinical file or source was given to this analysis"
NOT_AVAILABLE = "Clinical data not available"

LENGTHS = ("mm", "cm")
"""Measured on voxels: a fourth digit would be pretense."""
_UNITS = {
    "1": "",
    "a": "years",
    "mo": "months",
    "umol/L": "µmol/L",
    "ug/L": "µg/L",
    "10*9/L": "10^9/L",
    "[arb'U]/L": "AU/L",
    "[IU]/mL": "IU/mL",
    "[hnsf'U]": "HU",
}
_CAPITALS = frozenset(
    {"afp", "l3", "ii", "inr", "alt", "ast", "ggt", "alp", "ecog", "hbv", "hcv", "dna", "rna"}
)
_SPELLED = {"pivka": "PIVKA", "hbsag": "HBsAg", "pugh": "Pugh"}
_IMAGE_INPUTS = {
    "tumor_number": "Number of tumors",
    "tumor_largest": "Largest tumor",
    "tumor_sum": "Sum of diameters",
    "tumor_fraction": "Tumor share of the liver",
}
_CLASS_ALONE = "criteria"


def unit_text(unit: str) -> str:
    """A UCUM unit as clinicians write it; empty for a pure number."""
    return _UNITS.get(unit, unit)


def quantity(value: float | str | None, unit: str) -> str:
    """A value with its unit."""
    if value is None:
        return "missing"
    if isinstance(value, float) and unit in LENGTHS:
        value = float(f"{value:.3g}")
    written = unit_text(unit)
    return f"{format_value(value)} {written}" if written else format_value(value)


def input_name(key: str, record: ClinicalRecord | None = None) -> str:
    """What a report prints for an analyte or image measurement.

    Args:
        key: Analyte key or name of an image measurement ("tumor_largest").
        record: Gives the names its values came with.
    """
    names: dict[str, str] = {}
    if record is not None:
        names = {r.analyte: r.name for r in record.rejections}
        names |= {o.analyte: o.name for o in record.observations}
    known = names.get(key, "")
    if known or key in _IMAGE_INPUTS:
        return known or _IMAGE_INPUTS[key]
    words = [
        w.upper() if w in _CAPITALS else _SPELLED.get(w, w) for w in key.replace("_", " ").split()
    ]
    told = " ".join(words)
    return told[:1].upper() + told[1:]


def observation_name(observation: Observation) -> str:
    """A value's printed name, marked when a policy filled it in."""
    name = observation.name or input_name(observation.analyte)
    return f"{name} (imputed)" if observation.imputed else name


def availability(record: ClinicalRecord | None) -> str:
    """Why there are no clinical values; empty when there are some."""
    if record is None:
        return f"{NOT_AVAILABLE}: {NO_SOURCE}."
    if record.observations:
        return ""
    told = "; ".join(record.sources)
    if not told and record.rejections:
        told = "every value that was offered was refused (listed below)"
    return f"{NOT_AVAILABLE}: {told or 'no source gave a value'}."


def score_result(score: Score) -> str:
    """Value and class of a computed score; a criterion has its verdict alone."""
    if score.value is None:
        return "not computed"
    if score.name.endswith(_CLASS_ALONE) and score.category:
        return score.category
    value = quantity(score.value, score.unit)
    return value if score.category in ("", "not classified") else f"{value} ({score.category})"


def given_text(given: ScoreInput) -> str:
    """A score input's value with its unit."""
    if given.name == "tumor_fraction" and isinstance(given.value, float):
        return f"{given.value:.1%}"
    return quantity(given.value, given.unit)


def is_measured(given: ScoreInput) -> bool:
    """Tell whether a score's input comes from the images."""
    return given.name in _IMAGE_INPUTS


def prevented(scores: tuple[Score, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """Missing inputs with the scores each kept from being computed, the worst first."""
    found: dict[str, list[str]] = {}
    for score in scores:
        for name in score.missing if score.value is None else ():
            found.setdefault(name, []).append(score.name)
    ordered = sorted(found.items(), key=lambda entry: -len(entry[1]))
    return [(name, tuple(names)) for name, names in ordered]
