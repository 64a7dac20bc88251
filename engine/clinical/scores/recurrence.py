"""Recurrence after resection: ERASL-pre, ERASL-post, ERS, EROM, POLAR-HCC."""

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
from engine.clinical.scores.tumor_burden import fits_milan, lesions


def _erasl_pre(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    albi = albi_score(inputs.positive("bilirubin_total"), inputs.number("albumin"))
    number_class = 0 if number == 1 else 1 if number <= 3 else 2
    score = (
        0.818 * (inputs.word("sex") == "male")
        + 0.447 * (not at_most(albi, -2.60))
        + 0.100 * math.log(inputs.positive("afp"))
        + 0.580 * math.log(largest_cm)
        + 0.492 * number_class
    )
    if at_most(score, 2.558):
        return Outcome(score, "low risk")
    return Outcome(score, "intermediate risk" if at_most(score, 3.521) else "high risk")


def _erasl_post(_: Inputs) -> Outcome:
    raise OutOfBoundsError("published coefficients: not found in a source")


def _ers(inputs: Inputs) -> Outcome:
    if inputs.known("previous_treatment") and inputs.has("previous_treatment"):
        raise OutOfBoundsError("previous_treatment: the paper studied treatment-naive patients")
    number, largest_cm = lesions(inputs)
    afp = inputs.number("afp")
    points = 0 if below(afp, 10.0) else 2 if at_most(afp, 100.0) else 3
    points += 0 if below(largest_cm, 4.0) else 1
    points += 2 if number > 1 else 0
    points += 2 if inputs.has("satellite_nodules") else 0
    points += 1 if _any_vascular_invasion(inputs) else 0
    points += 2 if inputs.word("margin") != "R0" else 0
    return Outcome(float(points))


def _any_vascular_invasion(inputs: Inputs) -> bool:
    return inputs.has("microvascular_invasion") or (
        inputs.known("macrovascular_invasion") and inputs.has("macrovascular_invasion")
    )


def _erom(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    if fits_milan(number, largest_cm):
        raise OutOfBoundsError("tumor burden: within Milan, the paper studied tumors beyond it")
    index = (
        math.log(2.03) * (not at_most(inputs.number("afp"), 20.0))
        + math.log(1.10) * largest_cm
        + math.log(2.20) * inputs.has("infiltrative_growth")
        + math.log(1.74) * inputs.has("low_arterial_enhancement")
    )
    return Outcome(index)


def _polar(inputs: Inputs) -> Outcome:
    number, _ = lesions(inputs)
    index = (
        math.log(1.37) * (inputs.word("sex") == "male")
        + math.log(1.42) * inputs.has("cirrhosis")
        + math.log(1.56) * (number > 1)
        + math.log(1.59) * inputs.has("satellite_nodules")
        + math.log(1.49) * inputs.has("large_tumor")
        + math.log(4.63) * inputs.has("macrovascular_invasion")
        + math.log(1.69) * inputs.has("microvascular_invasion")
    )
    return Outcome(index)


_NOT_FOUND = "Off until a source of the coefficients is read."

ERASL_PRE = ScoreDefinition(
    name="ERASL-pre",
    needs=(
        "sex",
        "bilirubin_total",
        "albumin",
        "afp",
        "tumor_largest",
        "tumor_number",
    ),
    formula=_erasl_pre,
    citation="Chan et al., J Hepatol 2018; external validation 10.1245/s10434-021-10235-3",
    confirmed=False,
    population="Resected HCC",
    caveats=("Coefficients and cut-offs are only recalled. " + _NOT_FOUND,),
)

ERASL_POST = ScoreDefinition(
    name="ERASL-post",
    needs=(
        "sex",
        "bilirubin_total",
        "albumin",
        "afp",
        "tumor_largest",
        "tumor_number",
        "microvascular_invasion",
    ),
    formula=_erasl_post,
    citation="Chan et al., J Hepatol 2018; external validation 10.1245/s10434-021-10235-3",
    confirmed=False,
    population="Resected HCC",
    caveats=("Adds microvascular invasion; coefficients unknown. " + _NOT_FOUND,),
)

ERS = ScoreDefinition(
    name="ERS",
    needs=(
        "afp",
        "tumor_largest",
        "tumor_number",
        "satellite_nodules",
        "microvascular_invasion",
        "margin",
    ),
    optional=("macrovascular_invasion", "previous_treatment"),
    formula=_ers,
    citation="ERS: A simple scoring system to predict early recurrence after surgical resection "
    "for hepatocellular carcinoma (no DOI confirmed)",
    population="Treatment-naive, resected HCC, 17 centers in Europe and Asia (n = 2,359)",
    validation="2-year recurrence: C-index 0.668 development, 0.684 validation",
    caveats=("Four risk levels are published; their cut points were not found.",),
)
"""Points and figures: the paper's abstract."""

EROM = ScoreDefinition(
    name="EROM (log-hazard index)",
    needs=(
        "afp",
        "tumor_largest",
        "tumor_number",
        "infiltrative_growth",
        "low_arterial_enhancement",
    ),
    formula=_erom,
    citation="MRI-based Early Recurrence Outside Milan (EROM) score, Zheng et al. (no DOI "
    "confirmed)",
    population="Resectable HCC of BCLC A/B beyond Milan, one center (n = 279), on MRI",
    validation="early recurrence-free survival: C-index 0.69 in the testing set (BCLC 0.52)",
    caveats=(
        "Sum of published log hazard ratios; the cut-off 15.3 points belongs to the paper's own "
        "scale, which was not found, and is not used.",
        "Both image features were read on MRI; HepatoCast does not measure them.",
    ),
)
"""Hazard ratios and figures: the paper's abstract."""

POLAR_HCC = ScoreDefinition(
    name="POLAR-HCC (log-hazard index)",
    needs=(
        "sex",
        "cirrhosis",
        "tumor_number",
        "tumor_largest",
        "large_tumor",
        "satellite_nodules",
        "macrovascular_invasion",
        "microvascular_invasion",
    ),
    formula=_polar,
    citation="Development and validation of an individualized prediction model for postoperative "
    "late recurrence after hepatectomy for hepatocellular carcinoma (POLAR-HCC): a multicenter "
    "study (no DOI confirmed)",
    population="Resected HCC, recurrence-free at 2 years, 10 Chinese centers (n = 849)",
    validation="AUC 0.660 development, 0.626 validation",
    caveats=(
        "Sum of published log hazard ratios; the paper's cut-off 1.93 belongs to its own scale, "
        "which was not found, and is not used.",
        "The size that counts as 'large' was not found: it must be given, it is not measured.",
    ),
)
"""Hazard ratios and figures: the paper's abstract."""
