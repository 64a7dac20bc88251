"""Staging systems that add points: CLIP, Okuda, JIS, HAP."""

from engine.clinical.scores.definition import (
    Inputs,
    Outcome,
    ScoreDefinition,
    at_most,
    below,
)
from engine.clinical.scores.molar import bilirubin_mg_dl
from engine.clinical.scores.tumor_burden import lesions

_CHILD_PUGH_POINTS = {"A": 0, "B": 1, "C": 2}


def _clip(inputs: Inputs) -> Outcome:
    points = _CHILD_PUGH_POINTS[inputs.word("child_pugh_class")]
    if not at_most(inputs.number("tumor_fraction"), 0.5):
        points += 2
    elif inputs.number("tumor_number") > 1:
        points += 1
    points += 0 if below(inputs.number("afp"), 400.0) else 1
    points += 1 if inputs.has("portal_vein_thrombosis") else 0
    return Outcome(float(points), f"CLIP {points}")


def _okuda(inputs: Inputs) -> Outcome:
    signs = (
        not at_most(inputs.number("tumor_fraction"), 0.5),
        inputs.word("ascites") != "absent",
        below(inputs.number("albumin"), 30.0),
        not at_most(bilirubin_mg_dl(inputs.number("bilirubin_total")), 3.0),
    )
    points = sum(signs)
    stage = 1 if points == 0 else 2 if points <= 2 else 3
    return Outcome(float(stage), f"stage {'I' * stage}")


def _jis(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    spread = inputs.has("lymph_node_metastasis") or inputs.has("distant_metastasis")
    fulfilled = (
        (number == 1) + at_most(largest_cm, 2.0) + (not inputs.has("macrovascular_invasion"))
    )
    stage_points = 3 if spread else 3 - fulfilled
    points = stage_points + _CHILD_PUGH_POINTS[inputs.word("child_pugh_class")]
    return Outcome(float(points), f"JIS {points}")


def _hap(inputs: Inputs) -> Outcome:
    _, largest_cm = lesions(inputs)
    points = (
        below(inputs.number("albumin"), 36.0)
        + (not at_most(inputs.number("bilirubin_total"), 17.0))
        + (not at_most(inputs.number("afp"), 400.0))
        + (not at_most(largest_cm, 7.0))
    )
    return Outcome(float(points), f"HAP {'ABCDD'[points]}")


CLIP = ScoreDefinition(
    name="CLIP",
    needs=("child_pugh_class", "tumor_number", "tumor_fraction", "afp", "portal_vein_thrombosis"),
    formula=_clip,
    citation="10.1002/hep.510280322",
    population="HCC of all stages, Italy (n = 435)",
    caveats=("'Massive' morphology is taken as tumor above 50 % of the liver.",),
)
"""Points: Table 2 of doi:10.4254/wjh.v7.i3.406; reproduces all 105 published CLIP scores of the
TCIA collection HCC-TACE-Seg."""

OKUDA = ScoreDefinition(
    name="Okuda",
    needs=("tumor_fraction", "ascites", "albumin", "bilirubin_total"),
    formula=_okuda,
    citation="10.4254/wjh.v7.i3.406",
    population="HCC of all stages, Japan (Okuda et al., Cancer 1985, n = 850)",
    caveats=("Cut-offs albumin below 3 g/dL, bilirubin above 3 mg/dL; sources differ on ≤ and ≥.",),
)

JIS = ScoreDefinition(
    name="JIS",
    needs=(
        "child_pugh_class",
        "tumor_number",
        "tumor_largest",
        "macrovascular_invasion",
        "lymph_node_metastasis",
        "distant_metastasis",
    ),
    formula=_jis,
    citation="10.4254/wjh.v7.i3.406",
    population="HCC, Japan (Kudo et al., J Gastroenterol 2003)",
    caveats=("Size factor 2 cm or less; one source prints below 2 cm.",),
)
"""LCSGJ stage and points: Table 6 of doi:10.4254/wjh.v7.i3.406."""

HAP = ScoreDefinition(
    name="HAP",
    needs=("albumin", "bilirubin_total", "afp", "tumor_number", "tumor_largest"),
    formula=_hap,
    citation="10.1093/annonc/mdt247",
    population="HCC before transarterial (chemo)embolization",
    validation="1-year AUROC 0.79 (0.69–0.88) training, 0.67 (0.58–0.76) validation",
    caveats=("Prognosis under embolization, not after resection.",),
)
"""Points also in Table 1 of doi:10.1186/s40644-023-00575-6."""
