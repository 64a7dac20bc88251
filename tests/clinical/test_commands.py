"""The text of ``hepatocast clinical show`` and ``hepatocast score``."""

from datetime import date
from pathlib import Path

import pytest

from engine.clinical.commands import list_scores, score, show
from engine.clinical.scores.table import SCORES
from engine.errors import ClinicalDataError
from engine.values.identity import PatientIdentity


def test_show_joins_what_several_files_know(tmp_path: Path) -> None:
    one, other = tmp_path / "labs.csv", tmp_path / "notes.csv"
    one.write_text("patient_id,analyte,value,unit,date\n1,afp,12,ng/mL,2024-02-20\n")
    other.write_text("patient_id,analyte,value\n1,cirrhosis,yes\n")
    record = show([str(one), str(other)], PatientIdentity(patient_id="1"), date(2024, 3, 1))
    assert [(o.analyte, o.value) for o in record.observations] == [
        ("afp", 12.0),
        ("cirrhosis", "present"),
    ]


def test_show_says_that_a_file_is_about_somebody_else(tmp_path: Path) -> None:
    path = tmp_path / "labs.csv"
    path.write_text("patient_id,analyte,value,unit,date\n2,afp,12,ng/mL,2024-02-20\n")
    record = show([str(path)], PatientIdentity(patient_id="1"), date(2024, 3, 1))
    assert record.observations == ()
    assert record.sources[0].startswith("labs.csv: refused: ")


@pytest.mark.parametrize(
    ("name", "words", "first"),
    [
        ("albi", ["bilirubin_total=1:mg/dL", "albumin=4:g/dL"], "ALBI: -2.586  grade 2"),
        ("ALBI", ["bilirubin_total=10", "albumin=40"], "ALBI: -2.74  grade 1"),
        (
            "galad",
            ["age=65", "sex=male", "afp_l3=10", "afp=100", "pivka_ii=200:mAU/mL"],
            "GALAD: 5.58  above −0.63, with DCP in mAU/mL",
        ),
        ("milan criteria", ["tumor_number=1", "tumor_largest=4.9"], "Milan criteria: 1  within"),
        (
            "meld-na",
            ["inr=1.5"],
            "MELD-Na: not computed; missing bilirubin_total, creatinine, sodium",
        ),
    ],
)
def test_a_score_is_computed_from_key_value_words(name: str, words: list[str], first: str) -> None:
    assert score(name, words).splitlines()[0] == first


def test_the_score_text_carries_inputs_citation_and_doubts() -> None:
    text = score("moral", ["afp=100", "pivka_ii=400"])
    assert "UNCONFIRMED" in text
    assert "afp = 100 ng/mL" in text
    assert "source: Lee et al." in text
    assert "population: " in text


def test_clip_computes_its_child_pugh_class_from_the_words() -> None:
    words = [
        "bilirubin_total=10", "albumin=42", "inr=1", "ascites=absent", "encephalopathy=absent",
        "tumor_number=1", "tumor_fraction=0.1", "afp=5", "portal_vein_thrombosis=absent",
    ]  # fmt: skip
    assert score("clip", words).splitlines()[0] == "CLIP: 0  CLIP 0"


@pytest.mark.parametrize(
    ("name", "word", "message"),
    [
        ("nothing", "afp=1", "No score is called"),
        ("ALBI", "albumin", "is no input"),
        ("ALBI", "hemoglobin=12", "takes key=value"),
        ("ALBI", "albumin=4:g/L", "plausible range"),
        ("ALBI", "albumin=four", "not a number"),
        ("Milan criteria", "tumor_largest=big", "needs a number in cm"),
        ("Milan criteria", "tumor_largest=-1", "at least 0"),
    ],
)
def test_a_wrong_word_is_one_clear_error(name: str, word: str, message: str) -> None:
    with pytest.raises(ClinicalDataError, match=message):
        score(name, [word])


def test_the_list_names_every_score_with_its_units() -> None:
    lines = list_scores().splitlines()
    assert len(lines) == len(SCORES)
    assert lines[0].split(None, 1) == ["ALBI", "bilirubin_total [umol/L], albumin [g/L]"]
    assert any("(unconfirmed)" in line for line in lines)
