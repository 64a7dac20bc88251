"""Recurrence after liver transplantation: Metroticket 2.0, AFP model, MoRAL, RETREAT."""

import math

from engine.clinical.scores.definition import (
    Inputs,
    Outcome,
    OutOfBoundsError,
    ScoreDefinition,
    at_most,
    below,
)
from engine.clinical.scores.tumor_burden import lesions


def _metroticket(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    afp = inputs.number("afp")
    if below(afp, 200.0):
        limit = 7.0
    elif below(afp, 400.0):
        limit = 5.0
    elif at_most(afp, 1000.0):
        limit = 4.0
    else:
        return Outcome(0.0, "outside")
    fits = at_most(number + largest_cm, limit)
    return Outcome(float(fits), "within" if fits else "outside")


def _afp_model(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    afp = inputs.number("afp")
    points = 0 if at_most(largest_cm, 3.0) else 1 if at_most(largest_cm, 6.0) else 4
    points += 0 if number <= 3 else 2
    points += 0 if at_most(afp, 100.0) else 2 if at_most(afp, 1000.0) else 3
    return Outcome(float(points), "low risk" if points <= 2 else "high risk")


def _moral(inputs: Inputs) -> Outcome:
    if inputs.number("afp") < 0 or inputs.number("pivka_ii") < 0:
        raise OutOfBoundsError("afp, pivka_ii: must be at least 0")
    score = 11.0 * math.sqrt(inputs.number("pivka_ii")) + 2.0 * math.sqrt(inputs.number("afp"))
    return Outcome(score, "low" if at_most(score, 314.8) else "high")


def _retreat(inputs: Inputs) -> Outcome:
    afp = inputs.number("afp")
    points = 0 if below(afp, 21.0) else 1 if below(afp, 100.0) else 2 if below(afp, 1000.0) else 3
    points += 2 if inputs.has("microvascular_invasion") else 0
    number = inputs.number("explant_viable_number")
    if number > 0:
        extent = inputs.number("explant_largest_viable") + number
        points += 1 if below(extent, 5.0) else 2 if below(extent, 10.0) else 3
    return Outcome(float(points), f"score {points}" if points < 5 else "score 5 or more")


METROTICKET = ScoreDefinition(
    name="Metroticket 2.0 criteria",
    needs=("tumor_number", "tumor_largest", "afp"),
    formula=_metroticket,
    citation="10.1053/j.gastro.2017.09.025",
    population="Liver transplantation for HCC (n = 1,018), validated in China",
    validation="C-statistic about 0.72 for HCC-related death (the continuous model)",
    caveats=("The banded criteria, a simplification of the continuous model.",),
)
"""Bands confirmed in an open calculator that cites the paper (up-to-7 below 200 ng/mL, up-to-5
for 200–400, up-to-4 for 400–1,000)."""

AFP_MODEL = ScoreDefinition(
    name="AFP model",
    needs=("tumor_number", "tumor_largest", "afp"),
    formula=_afp_model,
    citation="Duvoux et al., Gastroenterology 2012; validation 10.1016/j.jhep.2016.10.038",
    population="Liver transplantation for HCC, France; validated in Italy (n = 574)",
    validation="5-year recurrence 13.2 % (score ≤ 2) and 49.8 % (above 2)",
)
"""Points confirmed in two open implementations that cite the paper."""

MORAL = ScoreDefinition(
    name="MoRAL",
    needs=("afp", "pivka_ii"),
    formula=_moral,
    citation="Lee et al., Serum tumor markers provide refined prognostication in selecting "
    "liver transplantation candidate, Ann Surg 2016",
    confirmed=False,
    population="Living donor liver transplantation beyond Milan, Korea (n = 566)",
    validation="C-index 0.88, validation 0.87 and 0.84; cut-off 314.8",
    caveats=(
        "The cut-off is confirmed by the abstract, the coefficients are only recalled.",
        "Not the MORAL models (Model of Recurrence after Liver Transplantation) of New York.",
    ),
)

RETREAT = ScoreDefinition(
    name="RETREAT",
    needs=(
        "afp",
        "microvascular_invasion",
        "explant_largest_viable",
        "explant_viable_number",
    ),
    formula=_retreat,
    citation="10.20517/2394-5079.2018.62; validation 10.1111/ajt.14549",
    population="After liver transplantation within Milan by imaging (UNOS validation n = 3,276)",
    validation="3-year recurrence 1.6 % (score 0) and 29 % (score 5 or more)",
    caveats=("Needs the explant's pathology; AFP at transplantation.",),
)
"""Points: Table 4 of doi:10.20517/2394-5079.2018.62, which reprints the original's table; the same
AFP bands and weights in Table 2 of doi:10.4254/wjh.v11.i3.261."""
