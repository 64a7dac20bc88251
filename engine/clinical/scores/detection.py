"""Risk and detection of HCC: aMAP, GALAD."""

import math

from engine.clinical.scores.definition import (
    Inputs,
    Outcome,
    OutOfBoundsError,
    ScoreDefinition,
    at_most,
    below,
)
from engine.clinical.scores.liver_function import albi_score


def _amap(inputs: Inputs) -> Outcome:
    albi = albi_score(inputs.positive("bilirubin_total"), inputs.number("albumin"))
    linear = (
        0.06 * inputs.number("age")
        + 0.89 * (inputs.word("sex") == "male")
        + 0.48 * albi
        - 0.01 * inputs.number("platelets")
    )
    score = (linear + 7.4) / 14.77 * 100.0
    if below(score, 50.0):
        return Outcome(score, "low risk")
    return Outcome(score, "medium risk" if at_most(score, 60.0) else "high risk")


def _galad(inputs: Inputs) -> Outcome:
    if not 0.0 <= inputs.number("afp_l3") <= 100.0:
        raise OutOfBoundsError("afp_l3: must be 0–100 %")
    score = (
        -10.08
        + 0.09 * inputs.number("age")
        + 1.67 * (inputs.word("sex") == "male")
        + 2.34 * math.log10(inputs.positive("afp"))
        + 0.04 * inputs.number("afp_l3")
        + 1.33 * math.log10(inputs.positive("pivka_ii"))
    )
    side = "at or below" if at_most(score, -0.63) else "above"
    return Outcome(score, f"{side} −0.63, with DCP in mAU/mL")


AMAP = ScoreDefinition(
    name="aMAP",
    needs=("age", "sex", "bilirubin_total", "albumin", "platelets"),
    formula=_amap,
    citation="10.1016/j.jhep.2020.07.025",
    population="Chronic hepatitis, 11 prospective cohorts (n = 17,374), before HCC",
    validation="C-index 0.82–0.87 across etiologies and ethnicities",
    caveats=("Risk of developing HCC; not meant for patients who have one.",),
)
"""Coefficients, units and cut-offs: three open implementations that cite the paper agree."""

GALAD = ScoreDefinition(
    name="GALAD",
    needs=("age", "sex", "afp", "afp_l3", "pivka_ii"),
    formula=_galad,
    citation="10.1158/1055-9965.EPI-13-0870",
    population="Chronic liver disease (n = 670, one UK center), for detection of HCC",
    validation="AUC 0.95 in one US center (n = 291) and 0.88 in the EDRN cohort (n = 645)",
    caveats=(
        "DCP (PIVKA-II) is taken in mAU/mL; implementations disagree (mAU/mL or ng/mL) and "
        "values in ng/mL are not converted. Each factor of 10 between the two units moves the "
        "score by 1.33, so the side of the cut-off holds for one unit only.",
        "Cut-off −0.63; others print −0.76, −1.18 (early stage) and −1.36.",
    ),
)
"""Coefficients: six open implementations that cite the paper agree; several state mAU/mL.
Figures and cut-offs: abstract of Cancer Epidemiol Biomarkers Prev 28(3):531 (GALAD against
ultrasound)."""
