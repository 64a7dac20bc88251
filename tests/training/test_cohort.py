"""Reading cohort tables."""

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.training.cohort import CohortError, read_cohort
from engine.training.recipe import Recipe, parse_recipe

TABLE = """p,Age,Grade,t,e,sex
a,50,G1,365.25,1,M
b,150,G2,730.5,0,F
c,,G9,100,1,M
d,60,,,1,M
"""


def recipe(**cohort: Any) -> Recipe:  # noqa: ANN401 - TOML values
    return parse_recipe(
        {
            "format": 1,
            "name": "r",
            "title": "R",
            "citation": "",
            "data": "real",
            "subgroups": ["Age"],
            "cohort": {"table": "t.csv", "id": "p", **cohort},
            "outcome": {"name": "OS", "short": "OS", "time": "t", "event": "e", "unit": "days"},
            "predictor": [
                {"name": "age", "column": "Age", "range": [10, 110]},
                {"name": "grade", "column": "Grade", "words": {"G1": 1, "G2": 2, "G9": 9}},
            ],
            "strategy": [{"name": "s", "model": "ridge"}],
        },
        origin="test",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(TABLE)
    return tmp_path


def test_values_words_ranges_and_outcome(folder: Path) -> None:
    """Days become months, words numbers, impossible ages missing, no outcome no row."""
    cohort = read_cohort(recipe(), folder)
    assert cohort.outcome.time == pytest.approx([12.0, 24.0, 100 / 30.4375])
    assert cohort.outcome.event.tolist() == [True, False, True]
    assert cohort.values[:, 1].tolist() == [1.0, 2.0, 9.0]
    assert np.isnan(cohort.values[:, 0]).tolist() == [False, True, True]
    assert cohort.notes == (
        "1 rows without an outcome",
        "Age: 1 values outside the range became missing",
    )
    assert cohort.extra["Age"][1] == 150.0


def test_rows_are_selected_and_counted(folder: Path) -> None:
    cohort = read_cohort(recipe(where={"sex": ["M"]}, present=["Age"]), folder)
    assert len(cohort) == 1
    assert cohort.notes[0] == "2 rows outside the recipe's selection"


def test_tables_are_joined_by_patient_and_may_be_gzipped(folder: Path) -> None:
    with gzip.open(folder / "u.csv.gz", "wt") as stream:
        stream.write("q,Grade2\nb,7\n")
    base = recipe(join=[{"table": "u.csv.gz", "on": "q"}])
    joined = parse_recipe(
        {
            "format": 1,
            "name": "r",
            "title": "R",
            "citation": "",
            "data": "real",
            "cohort": {"table": "t.csv", "id": "p", "join": [{"table": "u.csv.gz", "on": "q"}]},
            "outcome": {"name": "OS", "short": "OS", "time": "t", "event": "e"},
            "predictor": [{"name": "wide", "pattern": "Grade[0-9]", "modality": "omics"}],
            "strategy": [{"name": "s", "model": "ridge"}],
        },
        origin="test",
    )
    cohort = read_cohort(joined, folder)
    assert base.cohort.join == joined.cohort.join
    assert [c.name for c in cohort.columns] == ["Grade2"]
    assert np.isnan(cohort.values[:, 0]).tolist() == [True, False, True]


def test_survival_after_an_event_subtracts_its_time(folder: Path) -> None:
    (folder / "t.csv").write_text("p,Age,Grade,t,e,r\na,50,G1,365.25,1,182.625\n")
    content = recipe()
    later = replace(content, outcome=replace(content.outcome, start="r"))
    assert read_cohort(later, folder).outcome.time == pytest.approx([6.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p,Age,t,e\na,1,1,1\n", "no column Grade"),
        ("x,Age,Grade,t,e\na,1,G1,1,1\n", "lacks the columns p"),
        ("p,Age,Grade,t,e\na,old,G1,1,1\n", "Column Age: a cell is no number"),
        ("p,Age,Grade,t,e\na,5,G1,,1\n", "No row"),
        ("p,Age\n", "has no rows"),
    ],
)
def test_unusable_tables_are_refused(folder: Path, text: str, message: str) -> None:
    (folder / "t.csv").write_text(text)
    with pytest.raises(CohortError, match=message):
        read_cohort(recipe(), folder)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"t\.csv cannot be read"):
        read_cohort(recipe(), tmp_path)
