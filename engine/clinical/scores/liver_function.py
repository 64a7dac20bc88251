"""Liver function: ALBI, modified ALBI, PALBI, Child-Pugh."""

import math

from engine.clinical.scores.definition import (
    Inputs,
    Outcome,
    ScoreDefinition,
    at_most,
    below,
)
from engine.clinical.scores.molar import bilirubin_mg_dl


def albi_score(bilirubin_umol_l: float, albumin_g_l: float) -> float:
    """Albumin-bilirubin score (Johnson et al. 2015, doi:10.1200/JCO.2014.57.9151).

    The albumin coefficient is −0.085 as printed in the paper; code in circulation that uses
    −0.0852 moves the result by up to 0.01.
    """
    return 0.66 * math.log10(bilirubin_umol_l) - 0.085 * albumin_g_l


def _albi(inputs: Inputs) -> Outcome:
    score = albi_score(inputs.positive("bilirubin_total"), inputs.number("albumin"))
    if at_most(score, -2.60):
        return Outcome(score, "grade 1")
    return Outcome(score, "grade 2" if at_most(score, -1.39) else "grade 3")


def _malbi(inputs: Inputs) -> Outcome:
    outcome = _albi(inputs)
    if outcome.category != "grade 2":
        return outcome
    return Outcome(outcome.value, "grade 2a" if at_most(outcome.value, -2.27) else "grade 2b")


def _palbi(inputs: Inputs) -> Outcome:
    bilirubin = math.log10(inputs.positive("bilirubin_total"))
    platelets = math.log10(inputs.positive("platelets"))
    score = (
        2.02 * bilirubin
        - 0.37 * bilirubin**2
        - 0.04 * inputs.number("albumin")
        - 3.48 * platelets
        + 1.01 * platelets**2
    )
    if at_most(score, -2.53):
        return Outcome(score, "grade 1")
    return Outcome(score, "grade 2" if at_most(score, -2.09) else "grade 3")


def child_pugh_points(inputs: Inputs) -> int:
    """Points 5–15 of the five Child-Pugh items (doi:10.1002/bjs.1800600817)."""
    bilirubin = bilirubin_mg_dl(inputs.number("bilirubin_total"))
    albumin = inputs.number("albumin") / 10.0
    inr = inputs.number("inr")
    return (
        _band(bilirubin, 2.0, 3.0)
        + _band(-albumin, -3.5, -2.8)
        + _band(inr, 1.7, 2.3)
        + {"absent": 1, "slight": 2, "moderate": 3}[inputs.word("ascites")]
        + {"absent": 1, "grade 1-2": 2, "grade 3-4": 3}[inputs.word("encephalopathy")]
    )


def _band(value: float, one_below: float, three_above: float) -> int:
    """1 below the first cut-off, 2 from it up to and including the second, 3 above."""
    if below(value, one_below):
        return 1
    return 2 if at_most(value, three_above) else 3


def _child_pugh(inputs: Inputs) -> Outcome:
    points = child_pugh_points(inputs)
    letter = "A" if points <= 6 else "B" if points <= 9 else "C"
    return Outcome(float(points), f"class {letter}")


_HCC = "Patients with hepatocellular carcinoma"

ALBI = ScoreDefinition(
    name="ALBI",
    needs=("bilirubin_total", "albumin"),
    formula=_albi,
    citation="10.1200/JCO.2014.57.9151",
    population=_HCC + " of all stages",
    caveats=("A grade of liver function, not a survival model.",),
)

MALBI = ScoreDefinition(
    name="mALBI",
    needs=("bilirubin_total", "albumin"),
    formula=_malbi,
    citation="Hiraoka et al., Validation of Modified ALBI Grade for More Detailed Assessment of "
    "Hepatic Function in Hepatocellular Carcinoma Patients (no DOI confirmed)",
    population=_HCC + ", Japan (n = 6,649)",
    validation="with TNM (mALBI-T): C-index 0.755 in all patients",
    caveats=("ALBI with grade 2 split at −2.27.",),
)
"""Figures: the paper's abstract; the cut −2.27: an open calculator that cites ALBI and mALBI."""

PALBI = ScoreDefinition(
    name="PALBI",
    needs=("bilirubin_total", "albumin", "platelets"),
    formula=_palbi,
    citation="10.1371/journal.pone.0216173",
    population=_HCC,
    caveats=(
        "Formula and cut-offs as printed by Lee et al. 2019 and doi:10.1038/s41598-018-22923-4.",
    ),
)

CHILD_PUGH = ScoreDefinition(
    name="Child-Pugh",
    needs=("bilirubin_total", "albumin", "inr", "ascites", "encephalopathy"),
    formula=_child_pugh,
    citation="10.1002/bjs.1800600817",
    population="Patients with cirrhosis",
    caveats=("INR bands 1.7 and 2.3; some sources print 2.2.",),
)
