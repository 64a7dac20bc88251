"""`hepatocast compare` on phantoms of known growth (issue 7, follow-up)."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engine.cli.main import main
from tests.phantoms.packages import write_threshold_package
from tests.phantoms.visits import Visit, ball, visit

LARGE, SMALL = (-70.0, -15.0, 3.0), (-25.0, -25.0, -12.0)
ELSEWHERE = (-95.0, 10.0, -6.0)
SHIFT = (22.0, -31.0, 60.0)
CSV = """patient_id,birth_date,sex,analyte,value,unit,date
PHANTOM-7,1960-02-29,F,afp,{afp},ng/mL,{day}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_threshold_package(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def baseline(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    lesions = (ball(LARGE, 16.0), ball(SMALL, 9.0))
    return visit(tmp_path_factory.mktemp("baseline"), model, "20240110", lesions)


def compare(baseline: Visit, followup: Visit, out: Path, *more: str) -> dict[str, Any]:
    assert (
        main(["compare", str(baseline.result), str(followup.result), "--out", str(out), *more]) == 0
    )
    document = json.loads((out / "result.json").read_text("utf-8"))
    assert document["status"] == "compared"
    comparison = document["comparison"]
    assert isinstance(comparison, dict)
    return comparison


def courses(comparison: dict[str, Any]) -> list[tuple[str, list[int], list[int]]]:
    return [
        (
            g["course"],
            [le["number"] for le in g["baseline"]],
            [le["number"] for le in g["followup"]],
        )
        for g in comparison["groups"]
    ]


def recist(comparison: dict[str, Any]) -> dict[str, Any]:
    found = comparison["assessments"][0]
    assert found["criteria"].startswith("RECIST 1.1")
    return dict(found)


@pytest.mark.parametrize("images", [False, True])
def test_growth_is_progression_wherever_the_patient_lies(
    baseline: Visit, model: Path, tmp_path: Path, images: bool
) -> None:
    """Radius 16 to 21 mm: the sum rises by 10 mm, give or take a voxel of 4 mm."""
    lesions = (ball(LARGE, 21.0), ball(SMALL, 9.0))
    later = visit(tmp_path / "later", model, "20240710", lesions, shift_mm=SHIFT)
    more = ("--baseline-study", str(baseline.study), "--followup-study", str(later.study))
    found = compare(baseline, later, tmp_path / "out", *(more if images else ()))
    assert courses(found) == [("matched", [1], [1]), ("matched", [2], [2])]
    told = recist(found)
    rise = told["followup_sum_mm"] - told["baseline_sum_mm"]
    assert rise == pytest.approx(10.0, abs=4.0)
    assert told["change_from_baseline"] == pytest.approx(rise / told["baseline_sum_mm"])
    progressed = told["change_from_nadir"] >= 0.2
    assert told["overall"] == ("progressive disease" if progressed else "stable disease")
    assert ("by the images" if images else "by the shape") in found["alignment"]


def test_clear_growth_is_progression(baseline: Visit, model: Path, tmp_path: Path) -> None:
    lesions = (ball(LARGE, 24.0), ball(SMALL, 9.0))
    later = visit(tmp_path / "later", model, "20240710", lesions, shift_mm=SHIFT)
    told = recist(compare(baseline, later, tmp_path / "out"))
    assert told["overall"] == "progressive disease"
    assert any("20 % and 5 mm" in rule for rule in told["rules"])


def test_a_new_lesion_is_progression(baseline: Visit, model: Path, tmp_path: Path) -> None:
    lesions = (ball(LARGE, 16.0), ball(SMALL, 9.0), ball(ELSEWHERE, 7.0))
    later = visit(tmp_path / "later", model, "20240710", lesions, shift_mm=SHIFT)
    found = compare(baseline, later, tmp_path / "out")
    assert courses(found)[-1] == ("new", [], [3])
    told = recist(found)
    assert (told["target"], told["overall"]) == ("stable disease", "progressive disease")
    mrecist = found["assessments"][1]
    assert mrecist["overall"] == "not decided"
    assert any("arterial enhancement with washout" in text for text in mrecist["undecided"])


def test_shrinking_and_vanishing_is_response(baseline: Visit, model: Path, tmp_path: Path) -> None:
    later = visit(tmp_path / "later", model, "20240710", (ball(LARGE, 12.0),), shift_mm=SHIFT)
    found = compare(baseline, later, tmp_path / "out")
    assert courses(found) == [("matched", [1], [1]), ("disappeared", [2], [])]
    told = recist(found)
    assert told["followup_sum_mm"] == pytest.approx(24.0, abs=4.0)
    assert told["overall"] == "partial response"


def test_a_split_lesion_counts_its_parts_and_a_merged_one_once(model: Path, tmp_path: Path) -> None:
    whole = visit(tmp_path / "one", model, "20240110", (ball(LARGE, 20.0),))
    left, right = (-85.0, -15.0, 3.0), (-56.0, -15.0, 3.0)
    parts = (ball(left, 11.0), ball(right, 9.0))
    later = visit(tmp_path / "two", model, "20240710", parts, shift_mm=SHIFT)
    split = compare(whole, later, tmp_path / "split")
    assert courses(split) == [("split", [1], [1, 2])]
    told = recist(split)
    axes = [le["long_axis_mm"] for le in split["groups"][0]["followup"]]
    assert told["followup_sum_mm"] == pytest.approx(sum(axes))

    first = visit(tmp_path / "three", model, "20230110", parts)
    merged = compare(first, whole, tmp_path / "merged")
    assert courses(merged) == [("merged", [1, 2], [1])]
    group = merged["groups"][0]
    assert group["followup_mm"] == group["followup"][0]["long_axis_mm"]


def test_afp_and_dynamic_risk_are_followed(model: Path, tmp_path: Path) -> None:
    lesions = (ball(LARGE, 16.0),)
    first = visit(tmp_path / "a", model, "20240110", lesions,
                  clinical=CSV.format(day="2024-01-05", afp=20))  # fmt: skip
    second = visit(tmp_path / "b", model, "20240710", lesions,
                   clinical=CSV.format(day="2024-07-03", afp=80))  # fmt: skip
    (trend,) = compare(first, second, tmp_path / "out")["markers"]
    assert (trend["baseline"], trend["followup"], trend["change"]) == (20.0, 80.0, 3.0)
    assert trend["doubling_days"] == pytest.approx(90.0)

    course = tmp_path / "course.csv"
    course.write_text(CSV.format(day="2024-07-03", afp=80), encoding="utf-8")
    refused = compare(first, second, tmp_path / "refused", "--clinical", str(course))
    assert refused["predictions"] == []
    assert "lacks Age" in refused["refusals"][0]["reason"]
    age = "PHANTOM-7,1960-02-29,F,age,64,a,2024-07-03\n"
    course.write_text(CSV.format(day="2024-07-03", afp=80) + age, encoding="utf-8")
    (risk,) = compare(first, second, tmp_path / "dynamic", "--clinical", str(course))["predictions"]
    assert risk["package"].startswith("dynamic_os")
    assert 0 < risk["survival"][-1] < 1


def test_viable_diameters_of_a_reader_decide_mrecist(
    baseline: Visit, model: Path, tmp_path: Path
) -> None:
    lesions = (ball(LARGE, 16.0), ball(SMALL, 9.0))
    later = visit(tmp_path / "later", model, "20240710", lesions)
    viable = ("baseline:1=32", "baseline:2=18", "followup:1=12", "followup:2=0")
    options = [word for value in viable for word in ("--viable", value)]
    found = compare(baseline, later, tmp_path / "out", *options)
    assert recist(found)["overall"] == "stable disease"
    mrecist = found["assessments"][1]
    assert mrecist["change_from_baseline"] == pytest.approx(-0.76)
    assert mrecist["overall"] == "partial response"


def test_the_pdf_says_it_on_one_page(baseline: Visit, model: Path, tmp_path: Path) -> None:
    later = visit(tmp_path / "later", model, "20240710", (ball(LARGE, 12.0),))
    compare(baseline, later, tmp_path / "out")
    told = subprocess.run(
        ["pdftotext", "-layout", str(tmp_path / "out" / "report.pdf"), "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "partial response" in told
    assert "disappeared" in told
    assert "page 1 of 1" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"patient": "SOMEBODY-ELSE"}, "different Patient IDs"),
        ({"day": "20230101"}, "The baseline study is later"),
        ({"day": "20240110"}, "same study"),
    ],
)
def test_what_is_no_follow_up_is_refused(
    baseline: Visit,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str],
    told: str,
) -> None:
    day = change.pop("day", "20240710")
    later = visit(tmp_path / "later", model, day, (ball(LARGE, 16.0),), **change)
    out = tmp_path / "out"
    assert main(["compare", str(baseline.result), str(later.result), "--out", str(out)]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert told in line
    assert "SOMEBODY" not in line
    assert not out.exists()


def test_a_study_that_is_not_the_results_is_refused(
    baseline: Visit, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = visit(tmp_path / "later", model, "20240710", (ball(LARGE, 16.0),))
    studies = ["--baseline-study", str(later.study), "--followup-study", str(later.study)]
    command = ["compare", str(baseline.result), str(later.result), "--out", str(tmp_path / "out")]
    assert main([*command, *studies]) == 2
    assert "does not hold series" in capsys.readouterr().err
