"""CLIP, Okuda, JIS, HAP."""

from collections.abc import Callable

import pytest

from engine.values.lesion import TumorBurden
from engine.values.prognosis import Score

Compute = Callable[..., Score]
Burden = Callable[..., TumorBurden]


def test_the_worst_clip_is_six(score: Compute, burden: Burden) -> None:
    result = score(
        "CLIP",
        burden(5, 150.0, fraction=0.6),
        child_pugh_class="C",
        afp=400.0,
        portal_vein_thrombosis="present",
    )
    assert (result.value, result.category) == (6.0, "CLIP 6")


def test_clip_takes_the_computed_child_pugh_class_when_none_is_recorded(
    score: Compute, burden: Burden
) -> None:
    result = score(
        "CLIP",
        burden(1, 30.0),
        afp=10.0,
        portal_vein_thrombosis="absent",
        bilirubin_total=10.0,
        albumin=42.0,
        inr=1.0,
        ascites="absent",
        encephalopathy="absent",
    )
    assert result.value == 0.0
    child_pugh = next(i for i in result.inputs if i.name == "child_pugh_class")
    assert (child_pugh.value, child_pugh.source) == ("A", "computed: Child-Pugh 5 points")


@pytest.mark.parametrize(
    ("fraction", "ascites", "albumin", "bilirubin", "stage"),
    [
        (0.1, "absent", 40.0, 10.0, "stage I"),
        (0.6, "absent", 40.0, 10.0, "stage II"),
        (0.6, "slight", 40.0, 10.0, "stage II"),
        (0.6, "slight", 29.0, 10.0, "stage III"),
        (0.6, "slight", 29.0, 60.0, "stage III"),
        (0.5, "absent", 30.0, 51.3, "stage I"),
    ],
)
def test_okuda_counts_four_signs(
    score: Compute,
    burden: Burden,
    *,
    fraction: float,
    ascites: str,
    albumin: float,
    bilirubin: float,
    stage: str,
) -> None:
    measured = burden(1, 30.0, fraction=fraction)
    values = {"ascites": ascites, "albumin": albumin, "bilirubin_total": bilirubin}
    assert score("Okuda", measured, **values).category == stage


@pytest.mark.parametrize(
    ("number", "largest_mm", "invasion", "metastasis", "letter", "points"),
    [
        (1, 20.0, "absent", "absent", "A", 0),
        (1, 20.1, "absent", "absent", "A", 1),
        (2, 20.1, "absent", "absent", "A", 2),
        (2, 20.1, "present", "absent", "B", 4),
        (1, 10.0, "absent", "present", "C", 5),
    ],
)
def test_jis_adds_stage_and_child_pugh(
    score: Compute,
    burden: Burden,
    *,
    number: int,
    largest_mm: float,
    invasion: str,
    metastasis: str,
    letter: str,
    points: int,
) -> None:
    """LCSGJ factors: single, 2 cm or less, no vascular invasion."""
    result = score(
        "JIS",
        burden(number, largest_mm),
        macrovascular_invasion=invasion,
        lymph_node_metastasis="absent",
        distant_metastasis=metastasis,
        child_pugh_class=letter,
    )
    assert result.value == points


@pytest.mark.parametrize(
    ("albumin", "bilirubin", "afp", "largest_mm", "category"),
    [
        (36.0, 17.0, 400.0, 70.0, "HAP A"),
        (35.9, 17.0, 400.0, 70.0, "HAP B"),
        (35.9, 17.1, 400.0, 70.0, "HAP C"),
        (35.9, 17.1, 400.1, 70.0, "HAP D"),
        (35.9, 17.1, 400.1, 70.1, "HAP D"),
    ],
)
def test_hap_grades(
    score: Compute,
    burden: Burden,
    *,
    albumin: float,
    bilirubin: float,
    afp: float,
    largest_mm: float,
    category: str,
) -> None:
    values = {"albumin": albumin, "bilirubin_total": bilirubin, "afp": afp}
    assert score("HAP", burden(1, largest_mm), **values).category == category
