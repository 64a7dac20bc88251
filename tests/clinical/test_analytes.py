"""The table of analytes."""

from engine.clinical.analytes import ANALYTES, find_analyte
from engine.clinical.units import to_canonical

REQUIRED = {
    "afp",
    "afp_l3",
    "pivka_ii",
    "albumin",
    "bilirubin_total",
    "platelets",
    "inr",
    "prothrombin_time",
    "alt",
    "ast",
    "ggt",
    "alp",
    "creatinine",
    "sodium",
    "neutrophils",
    "lymphocytes",
    "hbsag",
    "hbv_dna",
    "hcv_rna",
    "age",
    "sex",
    "ecog",
    "ascites",
    "encephalopathy",
    "cirrhosis",
    "portal_hypertension",
    "previous_treatment",
    "surgery_date",
    "margin",
    "microvascular_invasion",
    "satellite_nodules",
    "differentiation",
    "capsule",
}


def test_every_analyte_a_liver_team_expects_is_there() -> None:
    assert set(ANALYTES) >= REQUIRED


def test_no_two_analytes_share_a_code() -> None:
    pairs = [
        pair
        for analyte in ANALYTES.values()
        for pair in ((analyte.code_system, analyte.code), *analyte.further_codes)
    ]
    assert len(pairs) == len(set(pairs))


def test_every_canonical_unit_is_ucum() -> None:
    for analyte in ANALYTES.values():
        if analyte.is_number:
            assert to_canonical(1.0, analyte.unit, analyte) == 1.0


def test_every_bounded_number_says_why_a_value_beyond_is_refused() -> None:
    for analyte in ANALYTES.values():
        if analyte.is_number:
            assert analyte.low < analyte.high < float("inf"), analyte.key
            assert analyte.reason, analyte.key


def test_a_code_is_found_in_its_own_system_only() -> None:
    assert find_analyte("1834-1", "LN") is ANALYTES["afp"]
    assert find_analyte("1834-1") is ANALYTES["afp"]
    assert find_analyte("1834-1", "SCT") is None
    assert find_analyte("no such thing") is None
