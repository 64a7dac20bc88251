"""Model for End-Stage Liver Disease: MELD, MELD-Na, MELD 3.0.

The allocation rules of UNOS/OPTN are followed: inputs are clamped, results are rounded to
whole points and kept within 6–40. Dialysis (which sets creatinine to its cap) is not an input.
"""

import math

from engine.clinical.scores.definition import (
    Inputs,
    Outcome,
    OutOfBoundsError,
    ScoreDefinition,
)
from engine.clinical.scores.molar import bilirubin_mg_dl, creatinine_mg_dl


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _points(raw: float) -> float:
    """Nearest whole point, halves up, within 6–40."""
    return _clamp(math.floor(raw + 0.5), 6.0, 40.0)


def meld_points(bilirubin_mg_dl: float, inr: float, creatinine_mg_dl: float) -> float:
    """MELD in whole points; inputs floored at 1, creatinine capped at 4 mg/dL."""
    raw = (
        9.57 * math.log(_clamp(creatinine_mg_dl, 1.0, 4.0))
        + 3.78 * math.log(max(bilirubin_mg_dl, 1.0))
        + 11.2 * math.log(max(inr, 1.0))
        + 6.43
    )
    return _points(raw)


def meld_na_points(meld: float, sodium_mmol_l: float) -> float:
    """MELD-Na from whole MELD points; sodium within 125–137, only above 11 points."""
    if meld <= 11:
        return meld
    deficit = 137.0 - _clamp(sodium_mmol_l, 125.0, 137.0)
    return _points(meld + 1.32 * deficit - 0.033 * meld * deficit)


def meld3_points(inputs: Inputs) -> float:
    """MELD 3.0 in whole points (doi:10.1053/j.gastro.2021.08.050)."""
    log_bilirubin = math.log(max(bilirubin_mg_dl(inputs.number("bilirubin_total")), 1.0))
    log_inr = math.log(max(inputs.number("inr"), 1.0))
    log_creatinine = math.log(_clamp(creatinine_mg_dl(inputs.number("creatinine")), 1.0, 3.0))
    sodium_deficit = 137.0 - _clamp(inputs.number("sodium"), 125.0, 137.0)
    albumin_deficit = 3.5 - _clamp(inputs.number("albumin") / 10.0, 1.5, 3.5)
    return _points(
        1.33 * (inputs.word("sex") == "female")
        + 4.56 * log_bilirubin
        + 0.82 * sodium_deficit
        - 0.24 * sodium_deficit * log_bilirubin
        + 9.09 * log_inr
        + 11.14 * log_creatinine
        + 1.85 * albumin_deficit
        - 1.83 * albumin_deficit * log_creatinine
        + 6.0
    )


def _meld_of(inputs: Inputs) -> float:
    return meld_points(
        bilirubin_mg_dl(inputs.number("bilirubin_total")),
        inputs.number("inr"),
        creatinine_mg_dl(inputs.number("creatinine")),
    )


def _meld(inputs: Inputs) -> Outcome:
    return Outcome(_meld_of(inputs))


def _meld_na(inputs: Inputs) -> Outcome:
    return Outcome(meld_na_points(_meld_of(inputs), inputs.number("sodium")))


def _meld3(inputs: Inputs) -> Outcome:
    if inputs.known("age") and inputs.number("age") < 18:
        raise OutOfBoundsError("age: MELD 3.0 of this form is for adults")
    return Outcome(meld3_points(inputs))


_POPULATION = "Adults with end-stage liver disease, for mortality within 3 months"
_DIALYSIS = "Dialysis within a week sets creatinine to its cap; it is not known here."

MELD = ScoreDefinition(
    name="MELD",
    needs=("bilirubin_total", "inr", "creatinine"),
    formula=_meld,
    citation="10.1053/jhep.2001.22172",
    population=_POPULATION,
    caveats=(_DIALYSIS,),
)
"""Coefficients and clamps: OPTN policy text quoted in MIT-LCP/mimic-code (meld.sql)."""

MELD_NA = ScoreDefinition(
    name="MELD-Na",
    needs=("bilirubin_total", "inr", "creatinine", "sodium"),
    formula=_meld_na,
    citation="10.1056/NEJMoa0801209",
    population=_POPULATION,
    validation="90-day waiting list mortality: C-statistic 0.862 in the MELD 3.0 cohort",
    caveats=(_DIALYSIS, "OPTN form of 2016, from whole MELD points above 11."),
)

MELD_3 = ScoreDefinition(
    name="MELD 3.0",
    needs=("bilirubin_total", "inr", "creatinine", "sodium", "albumin", "sex"),
    optional=("age",),
    formula=_meld3,
    citation="10.1053/j.gastro.2021.08.050",
    population=_POPULATION,
    validation="90-day waiting list mortality: C-statistic 0.869 (MELD-Na 0.862)",
    caveats=(_DIALYSIS, "Adults; candidates of 12–17 years follow another rule."),
)
