"""Staging systems that are decision trees: BCLC 2022, CNLC, AJCC TNM 8, HKLC.

The value is the stage's place in the paper's order (BCLC 0 → 0, A → 1 … D → 4), the category
its name. Invasion and spread are not measured on the images by HepatoCast: they come from the
clinical record, and a stage is refused without them.
"""

from engine.clinical.scores.definition import Inputs, Outcome, ScoreDefinition, at_most
from engine.clinical.scores.tumor_burden import lesions


def _staged(order: tuple[str, ...], stage: str) -> Outcome:
    return Outcome(float(order.index(stage)), f"stage {stage}")


_BCLC_ORDER = ("0", "A", "B", "C", "D")


def _bclc(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    ecog = int(inputs.word("ecog"))
    if ecog >= 3 or inputs.word("child_pugh_class") == "C":
        return _staged(_BCLC_ORDER, "D")
    if inputs.has("macrovascular_invasion") or inputs.has("extrahepatic_spread") or ecog >= 1:
        return _staged(_BCLC_ORDER, "C")
    if number == 1:
        return _staged(_BCLC_ORDER, "0" if at_most(largest_cm, 2.0) else "A")
    return _staged(_BCLC_ORDER, "A" if number <= 3 and at_most(largest_cm, 3.0) else "B")


_CNLC_ORDER = ("Ia", "Ib", "IIa", "IIb", "IIIa", "IIIb", "IV")


def _cnlc(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    if int(inputs.word("ecog")) >= 3 or inputs.word("child_pugh_class") == "C":
        return _staged(_CNLC_ORDER, "IV")
    if inputs.has("extrahepatic_spread"):
        return _staged(_CNLC_ORDER, "IIIb")
    if inputs.has("macrovascular_invasion"):
        return _staged(_CNLC_ORDER, "IIIa")
    if number >= 4:
        return _staged(_CNLC_ORDER, "IIb")
    if number >= 2:
        return _staged(_CNLC_ORDER, "Ib" if at_most(largest_cm, 3.0) else "IIa")
    return _staged(_CNLC_ORDER, "Ia" if at_most(largest_cm, 5.0) else "Ib")


_TNM_ORDER = ("IA", "IB", "II", "IIIA", "IIIB", "IVA", "IVB")


def _tnm(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    if inputs.has("distant_metastasis"):
        return _staged(_TNM_ORDER, "IVB")
    if inputs.has("lymph_node_metastasis"):
        return _staged(_TNM_ORDER, "IVA")
    if inputs.has("major_branch_invasion") or inputs.has("adjacent_organ_invasion"):
        return _staged(_TNM_ORDER, "IIIB")
    if number > 1:
        return _staged(_TNM_ORDER, "II" if at_most(largest_cm, 5.0) else "IIIA")
    if at_most(largest_cm, 2.0):
        return _staged(_TNM_ORDER, "IA")
    invaded = inputs.has("macrovascular_invasion") or (
        inputs.known("microvascular_invasion") and inputs.has("microvascular_invasion")
    )
    return _staged(_TNM_ORDER, "II" if invaded else "IB")


_HKLC_ORDER = ("I", "IIa", "IIb", "IIIa", "IIIb", "IVa", "IVb", "Va", "Vb")


def _hklc(inputs: Inputs) -> Outcome:
    extent = _hklc_extent(inputs)
    spread = inputs.has("extrahepatic_spread")
    child_pugh = inputs.word("child_pugh_class")
    if int(inputs.word("ecog")) >= 2 or child_pugh == "C":
        return _staged(_HKLC_ORDER, "Va" if extent == "early" and not spread else "Vb")
    if spread:
        return _staged(_HKLC_ORDER, "IVa" if child_pugh == "A" else "IVb")
    if extent == "locally advanced":
        return _staged(_HKLC_ORDER, "IIIb")
    if extent == "intermediate":
        return _staged(_HKLC_ORDER, "IIb" if child_pugh == "A" else "IIIa")
    return _staged(_HKLC_ORDER, "I" if child_pugh == "A" else "IIa")


def _hklc_extent(inputs: Inputs) -> str:
    number, largest_cm = lesions(inputs)
    adverse = (number > 3) + inputs.has("macrovascular_invasion")
    if at_most(largest_cm, 5.0):
        return ("early", "intermediate", "locally advanced")[adverse]
    return "intermediate" if adverse == 0 else "locally advanced"


_TREE_NEEDS = (
    "tumor_number",
    "tumor_largest",
    "macrovascular_invasion",
    "extrahepatic_spread",
    "child_pugh_class",
    "ecog",
)

BCLC = ScoreDefinition(
    name="BCLC 2022",
    needs=_TREE_NEEDS,
    formula=_bclc,
    citation="10.1016/j.jhep.2021.11.018",
    population="HCC of all stages",
    caveats=(
        "The definitions are those NCCN reprints from the paper (HCC 1.2026, ST-2); its own figure "
        "was not read. The 2025 update (10.1016/j.jhep.2025.10.020) keeps the stages.",
        "Child-Pugh C counts as end-stage; the transplant candidate is not known here.",
        "ECOG 1–2 is taken as caused by the tumor.",
    ),
)

CNLC = ScoreDefinition(
    name="CNLC",
    needs=_TREE_NEEDS,
    formula=_cnlc,
    citation="Chinese guideline for diagnosis and treatment of primary liver cancer, 2019 edition",
    population="HCC of all stages, China",
    caveats=(
        "Tree confirmed from the 2019 edition; that the 2022 and 2024 editions keep it is "
        "recalled, not confirmed.",
    ),
)
"""Each stage's wording: tzjyxb/blogdown, which quotes the 2019 edition."""

TNM = ScoreDefinition(
    name="AJCC TNM 8",
    needs=(
        "tumor_number",
        "tumor_largest",
        "macrovascular_invasion",
        "major_branch_invasion",
        "adjacent_organ_invasion",
        "lymph_node_metastasis",
        "distant_metastasis",
    ),
    optional=("microvascular_invasion",),
    formula=_tnm,
    citation="10.1186/s12889-021-11872-9",
    population="HCC of all stages",
    caveats=("Clinical staging on imaging unless pathology is given.",),
)
"""Table 2 of doi:10.1186/s12889-021-11872-9; T1a with or without invasion."""

HKLC = ScoreDefinition(
    name="HKLC",
    needs=_TREE_NEEDS,
    formula=_hklc,
    citation="10.1053/j.gastro.2014.02.032",
    confirmed=False,
    population="HCC of all stages, Hong Kong, mostly hepatitis B (n = 3,856)",
    validation="AUC about 0.84 (BCLC 0.80), C-index 0.74 (BCLC 0.70) for overall survival",
    caveats=("Inputs and stage names are confirmed; the tree itself is only recalled.",),
)
"""Inputs and figures: the paper's abstract (PubMed 24583061)."""
