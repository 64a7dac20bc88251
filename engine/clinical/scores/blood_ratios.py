"""Fibrosis and inflammation from routine blood values: FIB-4, APRI, NLR, PLR."""

import math

from engine.clinical.scores.definition import Inputs, Outcome, ScoreDefinition, at_most, below


def _fib4(inputs: Inputs) -> Outcome:
    score = (
        inputs.number("age")
        * inputs.positive("ast")
        / (inputs.positive("platelets") * math.sqrt(inputs.positive("alt")))
    )
    if below(score, 1.45):
        return Outcome(score, "< 1.45")
    return Outcome(score, "1.45–3.25" if at_most(score, 3.25) else "> 3.25")


def _apri(inputs: Inputs) -> Outcome:
    score = (
        inputs.positive("ast")
        / inputs.positive("ast_upper_limit")
        / inputs.positive("platelets")
        * 100.0
    )
    if below(score, 0.5):
        return Outcome(score, "< 0.5")
    return Outcome(score, "0.5–1.5" if at_most(score, 1.5) else "> 1.5")


def _nlr(inputs: Inputs) -> Outcome:
    return Outcome(inputs.positive("neutrophils") / inputs.positive("lymphocytes"))


def _plr(inputs: Inputs) -> Outcome:
    return Outcome(inputs.positive("platelets") / inputs.positive("lymphocytes"))


FIB4 = ScoreDefinition(
    name="FIB-4",
    needs=("age", "ast", "alt", "platelets"),
    formula=_fib4,
    citation="10.1002/hep.21178",
    population="HIV/HCV coinfection (n = 832), for significant fibrosis",
    validation="Ishak 4–6 against 0–3: AUROC 0.765; below 1.45 NPV 90 %, above 3.25 PPV 65 %",
    caveats=("Not validated for prognosis of HCC.",),
)
"""Cut-offs also in doi:10.1038/s41598-018-22923-4, Table 1."""

APRI = ScoreDefinition(
    name="APRI",
    needs=("ast", "ast_upper_limit", "platelets"),
    formula=_apri,
    citation="10.1053/jhep.2003.50346",
    population="Chronic hepatitis C, for fibrosis and cirrhosis",
    caveats=("Needs the laboratory's own upper limit of normal of AST.",),
)

NLR = ScoreDefinition(
    name="NLR",
    needs=("neutrophils", "lymphocytes"),
    formula=_nlr,
    citation="ratio; no single source",
    population="Reported in many HCC cohorts",
    caveats=("Sources agree on no cut-off.",),
)

PLR = ScoreDefinition(
    name="PLR",
    needs=("platelets", "lymphocytes"),
    formula=_plr,
    citation="ratio; no single source",
    population="Reported in many HCC cohorts",
    caveats=("Sources agree on no cut-off.",),
)
