"""BCLC 2022, CNLC, AJCC TNM 8, HKLC."""

from collections.abc import Callable

import pytest

from engine.values.lesion import TumorBurden
from engine.values.prognosis import Score

Compute = Callable[..., Score]
Burden = Callable[..., TumorBurden]

WELL = {
    "macrovascular_invasion": "absent",
    "extrahepatic_spread": "absent",
    "child_pugh_class": "A",
    "ecog": "0",
}


@pytest.mark.parametrize(
    ("number", "largest_mm", "changed", "bclc", "cnlc", "hklc"),
    [
        (1, 20.0, {}, "stage 0", "stage Ia", "stage I"),
        (1, 50.0, {}, "stage A", "stage Ia", "stage I"),
        (1, 90.0, {}, "stage A", "stage Ib", "stage IIb"),
        (3, 30.0, {}, "stage A", "stage Ib", "stage I"),
        (3, 31.0, {}, "stage B", "stage IIa", "stage I"),
        (4, 10.0, {}, "stage B", "stage IIb", "stage IIb"),
        (4, 60.0, {}, "stage B", "stage IIb", "stage IIIb"),
        (1, 20.0, {"ecog": "1"}, "stage C", "stage Ia", "stage I"),
        (1, 20.0, {"macrovascular_invasion": "present"}, "stage C", "stage IIIa", "stage IIb"),
        (1, 20.0, {"extrahepatic_spread": "present"}, "stage C", "stage IIIb", "stage IVa"),
        (1, 20.0, {"child_pugh_class": "B"}, "stage 0", "stage Ia", "stage IIa"),
        (1, 60.0, {"child_pugh_class": "B"}, "stage A", "stage Ib", "stage IIIa"),
        (1, 20.0, {"child_pugh_class": "C"}, "stage D", "stage IV", "stage Va"),
        (9, 90.0, {"ecog": "3"}, "stage D", "stage IV", "stage Vb"),
    ],
)
def test_trees(
    score: Compute,
    burden: Burden,
    *,
    number: int,
    largest_mm: float,
    changed: dict[str, str],
    bclc: str,
    cnlc: str,
    hklc: str,
) -> None:
    measured, values = burden(number, largest_mm), WELL | changed
    assert score("BCLC 2022", measured, **values).category == bclc
    assert score("CNLC", measured, **values).category == cnlc
    assert score("HKLC", measured, **values).category == hklc


@pytest.mark.parametrize(
    ("number", "largest_mm", "present", "stage"),
    [
        (1, 20.0, (), "stage IA"),
        (1, 20.0, ("macrovascular_invasion",), "stage IA"),
        (1, 21.0, (), "stage IB"),
        (1, 21.0, ("macrovascular_invasion",), "stage II"),
        (1, 21.0, ("microvascular_invasion",), "stage II"),
        (2, 50.0, (), "stage II"),
        (2, 50.1, (), "stage IIIA"),
        (1, 10.0, ("major_branch_invasion",), "stage IIIB"),
        (1, 10.0, ("adjacent_organ_invasion",), "stage IIIB"),
        (1, 10.0, ("lymph_node_metastasis",), "stage IVA"),
        (1, 10.0, ("lymph_node_metastasis", "distant_metastasis"), "stage IVB"),
    ],
)
def test_tnm_follows_the_table_of_its_eighth_edition(
    score: Compute,
    burden: Burden,
    number: int,
    largest_mm: float,
    present: tuple[str, ...],
    stage: str,
) -> None:
    """doi:10.1186/s12889-021-11872-9, Table 2."""
    findings = dict.fromkeys(
        (
            "macrovascular_invasion",
            "major_branch_invasion",
            "adjacent_organ_invasion",
            "lymph_node_metastasis",
            "distant_metastasis",
        ),
        "absent",
    )
    findings |= dict.fromkeys(present, "present")
    assert score("AJCC TNM 8", burden(number, largest_mm), **findings).category == stage


def test_a_stage_is_refused_while_invasion_is_unknown(score: Compute, burden: Burden) -> None:
    result = score("BCLC 2022", burden(1, 20.0), ecog="0", child_pugh_class="A")
    assert result.value is None
    assert result.missing == ("macrovascular_invasion", "extrahepatic_spread")


def test_a_thrombosed_portal_vein_is_macrovascular_invasion(score: Compute, burden: Burden) -> None:
    values = {key: word for key, word in WELL.items() if key != "macrovascular_invasion"}
    result = score("BCLC 2022", burden(1, 20.0), **values, portal_vein_thrombosis="present")
    assert result.category == "stage C"
    invasion = next(i for i in result.inputs if i.name == "macrovascular_invasion")
    assert invasion.source == "derived from portal_vein_thrombosis"
