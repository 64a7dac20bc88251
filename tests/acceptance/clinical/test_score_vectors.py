"""Issue 5, must show 2 and 5: score vectors, and 1,000 records scored within a second."""

import csv
import random
import time
from pathlib import Path

import pytest

from engine.clinical.analytes import ANALYTES
from engine.clinical.scores.compute import compute_scores
from engine.clinical.units import to_canonical
from tests.phantoms.clinical_records import make_burden, make_record, make_score

COHORT = Path(__file__).parents[3] / "../shared/data/cohorts/hcc_tace_seg/clinical.csv"


def _in(analyte: str, value: float, unit: str) -> float:
    return to_canonical(value, unit, ANALYTES[analyte])


@pytest.mark.parametrize(
    ("bilirubin", "bilirubin_unit", "albumin", "albumin_unit", "expected"),
    [(10.0, "umol/L", 40.0, "g/L", -2.740), (1.0, "mg/dL", 4.0, "g/dL", -2.586)],
)
def test_albi(
    bilirubin: float, bilirubin_unit: str, albumin: float, albumin_unit: str, expected: float
) -> None:
    score = make_score(
        "ALBI",
        bilirubin_total=_in("bilirubin_total", bilirubin, bilirubin_unit),
        albumin=_in("albumin", albumin, albumin_unit),
    )
    assert score.value == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("age", "bilirubin", "albumin", "platelets", "expected"),
    [
        (50.0, 15.0, 42.0, 200.0, 53.82),
        (30.0, 10.0, 45.0, 250.0, 41.10),
        (65.0, 25.0, 38.0, 150.0, 64.88),
    ],
)
def test_amap(
    age: float, bilirubin: float, albumin: float, platelets: float, expected: float
) -> None:
    score = make_score(
        "aMAP",
        age=age,
        sex="male",
        bilirubin_total=bilirubin,
        albumin=albumin,
        platelets=platelets,
    )
    assert score.value == pytest.approx(expected, abs=5e-3)


def test_galad() -> None:
    score = make_score("GALAD", age=65.0, sex="male", afp_l3=10.0, afp=100.0, pivka_ii=200.0)
    assert score.value == pytest.approx(5.58, abs=5e-3)


@pytest.mark.parametrize(("sex", "expected"), [("female", 32), ("male", 30)])
def test_meld_3(sex: str, expected: int) -> None:
    score = make_score(
        "MELD 3.0",
        bilirubin_total=_in("bilirubin_total", 4.0, "mg/dL"),
        inr=2.0,
        creatinine=_in("creatinine", 2.0, "mg/dL"),
        sodium=130.0,
        albumin=_in("albumin", 2.5, "g/dL"),
        sex=sex,
    )
    assert score.value == expected


def test_meld_and_meld_na() -> None:
    values = {
        "bilirubin_total": _in("bilirubin_total", 2.0, "mg/dL"),
        "inr": 1.5,
        "creatinine": _in("creatinine", 1.5, "mg/dL"),
        "sodium": 130.0,
    }
    assert make_score("MELD", **values).value == 17
    assert make_score("MELD-Na", **values).value == 22


def _clip_rows() -> list[dict[str, str]]:
    with COHORT.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_clip_reproduces_every_published_score_of_a_real_cohort() -> None:
    """All 105 rows of HCC-TACE-Seg (TCIA)."""
    rows = _clip_rows()
    assert len(rows) == 105
    for row in rows:
        large = row["T_involvment"].strip() == ">50%"
        number = 2 if row["tumor_nodul"] == "multinodular" else 1
        score = make_score(
            "CLIP",
            make_burden(number, 50.0, fraction=0.6 if large else 0.2),
            child_pugh_class=row["CPS"].strip(),
            afp=float(row["AFP"]),
            portal_vein_thrombosis=("absent", "present")[int(row["Portal Vein Thrombosis"])],
        )
        assert f"Stage_{score.value:g}" == row["CLIP_Score"].strip(), row["TCIA_ID"]


def test_a_thousand_records_are_scored_within_a_second() -> None:
    chance = random.Random(5)  # noqa: S311 - reproducible cases, not secrets
    cases = [
        (
            make_record(
                age=chance.uniform(30, 85),
                sex=chance.choice(["male", "female"]),
                afp=10 ** chance.uniform(0, 4),
                albumin=chance.uniform(25, 48),
                bilirubin_total=chance.uniform(5, 60),
                inr=chance.uniform(0.9, 2),
                creatinine=chance.uniform(50, 150),
                sodium=chance.uniform(128, 142),
                platelets=chance.uniform(50, 300),
                ast=chance.uniform(15, 150),
                alt=chance.uniform(15, 150),
                neutrophils=chance.uniform(1.5, 9),
                lymphocytes=chance.uniform(0.5, 3),
                ascites="absent",
                encephalopathy="absent",
                ecog="0",
                macrovascular_invasion="absent",
                extrahepatic_spread="absent",
                portal_vein_thrombosis="absent",
            ),
            make_burden(chance.randint(1, 4), chance.uniform(10, 90)),
        )
        for _ in range(1000)
    ]
    compute_scores(*cases[0])
    started = time.process_time()
    computed = [compute_scores(record, burden) for record, burden in cases]
    seconds = time.process_time() - started
    assert all(sum(s.value is not None for s in scores) >= 18 for scores in computed)
    assert seconds <= 1.0
