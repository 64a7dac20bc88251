"""Issue 5, must show 2: scores move the way their papers say, whatever the patient.

Left out because the published formula itself is not monotone there: PALBI over platelets and
above 537 µmol/L bilirubin; MELD 3.0 over albumin (falls with creatinine above 2.7 mg/dL) and
over sodium (above 30 mg/dL bilirubin).
"""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.clinical.scores.definition import evaluate
from engine.clinical.scores.inputs import unit_of
from engine.clinical.scores.table import SCORES, find_score
from engine.values.prognosis import ScoreInput

RANGES = {
    "age": (20.0, 90.0),
    "albumin": (15.0, 55.0),
    "bilirubin_total": (2.0, 500.0),
    "inr": (0.8, 6.0),
    "creatinine": (30.0, 600.0),
    "sodium": (115.0, 150.0),
    "platelets": (10.0, 600.0),
    "ast": (5.0, 2000.0),
    "alt": (5.0, 2000.0),
    "ast_upper_limit": (25.0, 60.0),
    "neutrophils": (0.5, 30.0),
    "lymphocytes": (0.1, 10.0),
    "afp": (0.5, 100_000.0),
    "afp_l3": (0.0, 100.0),
    "pivka_ii": (5.0, 100_000.0),
    "tumor_largest": (0.5, 20.0),
    "tumor_sum": (0.5, 40.0),
    "tumor_fraction": (0.0, 1.0),
    "explant_largest_viable": (0.5, 15.0),
}
COUNTS = {"tumor_number": (1, 8), "explant_viable_number": (0, 10)}
WORDS = {
    "sex": ("female", "male"),
    "ascites": ("absent", "slight", "moderate"),
    "encephalopathy": ("absent", "grade 1-2", "grade 3-4"),
    "child_pugh_class": ("A", "B", "C"),
    "ecog": ("0", "1", "2", "3", "4"),
    "margin": ("R0", "R1", "R2"),
}

RISES = {
    "ALBI": ("bilirubin_total",),
    "Child-Pugh": ("bilirubin_total", "inr", "ascites", "encephalopathy"),
    "MELD": ("bilirubin_total", "inr", "creatinine"),
    "MELD-Na": ("bilirubin_total", "inr", "creatinine"),
    "MELD 3.0": ("bilirubin_total", "inr", "creatinine"),
    "FIB-4": ("age", "ast"),
    "APRI": ("ast",),
    "NLR": ("neutrophils",),
    "PLR": ("platelets",),
    "aMAP": ("age", "bilirubin_total"),
    "GALAD": ("age", "afp", "afp_l3", "pivka_ii"),
    "Tumor burden score": ("tumor_largest", "tumor_number"),
    "AFP model": ("afp", "tumor_largest", "tumor_number"),
    "RETREAT": ("afp", "explant_largest_viable", "explant_viable_number"),
    "HAP": ("bilirubin_total", "afp", "tumor_largest"),
    "CLIP": ("afp", "tumor_fraction", "tumor_number", "child_pugh_class"),
    "Okuda": ("tumor_fraction", "bilirubin_total", "ascites"),
    "JIS": ("tumor_largest", "tumor_number", "child_pugh_class"),
    "BCLC 2022": ("tumor_largest", "tumor_number", "child_pugh_class", "ecog"),
    "CNLC": ("tumor_largest", "tumor_number", "child_pugh_class", "ecog"),
    "AJCC TNM 8": ("tumor_largest", "tumor_number"),
    "ERS": ("afp", "tumor_largest", "tumor_number", "margin"),
    "EROM (log-hazard index)": ("afp", "tumor_largest"),
}
FALLS = {
    "ALBI": ("albumin",),
    "PALBI": ("albumin",),
    "Child-Pugh": ("albumin",),
    "MELD-Na": ("sodium",),
    "FIB-4": ("alt", "platelets"),
    "APRI": ("platelets", "ast_upper_limit"),
    "NLR": ("lymphocytes",),
    "PLR": ("lymphocytes",),
    "aMAP": ("albumin", "platelets"),
    "HAP": ("albumin",),
    "Okuda": ("albumin",),
    "Milan criteria": ("tumor_largest", "tumor_number"),
    "UCSF criteria": ("tumor_largest", "tumor_sum"),
    "Up-to-seven criteria": ("tumor_largest", "tumor_number"),
    "Metroticket 2.0 criteria": ("tumor_largest", "tumor_number", "afp"),
}
DIRECTIONS = [
    (name, key, sign)
    for table, sign in ((RISES, 1.0), (FALLS, -1.0))
    for name, keys in table.items()
    for key in keys
]


def _values(key: str) -> st.SearchStrategy[float | str]:
    if key in RANGES:
        return st.floats(*RANGES[key])
    if key in COUNTS:
        return st.integers(*COUNTS[key]).map(float)
    return st.sampled_from(WORDS.get(key, ("absent", "present")))


def _order(key: str, value: float | str) -> float:
    return value if isinstance(value, float) else float(WORDS[key].index(str(value)))


@pytest.mark.parametrize(("name", "key", "sign"), DIRECTIONS)
@settings(derandomize=True, deadline=None, max_examples=30)
@given(data=st.data())
def test_a_worse_value_never_improves_a_score(
    data: st.DataObject, name: str, key: str, sign: float
) -> None:
    definition = find_score(name)
    assert definition is not None
    patient = {n: data.draw(_values(n), label=n) for n in definition.needs}
    changed = patient | {key: data.draw(_values(key), label=f"other {key}")}
    if _order(key, patient[key]) > _order(key, changed[key]):
        patient, changed = changed, patient
    one, other = (
        evaluate(
            definition,
            {n: ScoreInput(name=n, value=v, unit=unit_of(n)) for n, v in values.items()},
        )
        for values in (patient, changed)
    )
    assume(one.value is not None and other.value is not None)
    assert one.value is not None
    assert other.value is not None
    assert sign * (other.value - one.value) >= -1e-9


def test_every_confirmed_score_over_numbers_has_a_direction_here() -> None:
    """POLAR-HCC and mALBI (the same number as ALBI) have no numeric input of their own."""
    covered = set(RISES) | set(FALLS)
    left = {s.name for s in SCORES if s.confirmed} - covered
    assert left == {"mALBI", "POLAR-HCC (log-hazard index)"}
