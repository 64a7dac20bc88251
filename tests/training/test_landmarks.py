"""Landmark and counting-process rows from repeated visits."""

from dataclasses import replace

import pytest

from engine.errors import InputError
from engine.training.landmarks import landmark_rows, visit_rows
from engine.training.recipe import LandmarkSpec

VISITS = [
    {"id": "a", "day": "0", "left": "300", "dead": "1", "AFP": "9", "met": "0"},
    {"id": "a", "day": "100", "left": "200", "dead": "1", "AFP": "99", "met": "1"},
    {"id": "a", "day": "200", "left": "100", "dead": "1", "AFP": "999", "met": "0"},
    {"id": "b", "day": "0", "left": "90", "dead": "0", "AFP": "4", "met": "0"},
]
SPEC = LandmarkSpec(
    day="day",
    at_days=(0.0, 150.0),
    age_limit_days=60,
    summarized=("AFP",),
    first=("AFP",),
    ever=("met",),
)


def test_a_landmark_knows_only_what_was_known() -> None:
    """At day 150 the value of day 200 is unknown, and follow-up counts from day 150."""
    rows = landmark_rows(VISITS, SPEC, patient="id", time="left")
    assert [(r["id"], r["landmark"]) for r in rows] == [("a", "0.0"), ("a", "150.0"), ("b", "0.0")]
    at = rows[1]
    assert (at["AFP"], at["AFP:first"], at["met:ever"]) == ("99", "9", "1.0")
    assert float(at["left"]) == 150.0
    assert float(at["visit_age"]) == 50.0
    assert float(at["AFP:change_log10"]) == pytest.approx(1.0)


def test_the_future_does_not_change_a_landmark() -> None:
    """Altering every later visit leaves the landmark's predictors as they are."""
    altered = [dict(v, AFP="1e6", met="1") if v["day"] == "200" else v for v in VISITS]
    before = landmark_rows(VISITS, SPEC, patient="id", time="left")
    assert landmark_rows(altered, SPEC, patient="id", time="left") == before


def test_a_stale_last_visit_leaves_the_patient_out() -> None:
    fresh = LandmarkSpec(day="day", at_days=(199.0,), age_limit_days=60)
    with pytest.raises(InputError, match="No patient is under observation"):
        landmark_rows(VISITS, fresh, patient="id", time="left")


def test_visits_become_intervals_and_only_the_last_ends_with_the_event() -> None:
    rows = visit_rows(VISITS, SPEC, patient="id", time="left")
    assert [(r["start"], r["stop"], r["final"]) for r in rows[:3]] == [
        ("0.0", "100.0", "0"),
        ("100.0", "200.0", "0"),
        ("200.0", "300.0", "1"),
    ]
    assert rows[1]["AFP:count"] == "2.0"


def test_a_visit_without_a_day_is_refused() -> None:
    with pytest.raises(InputError, match="no usable number in column day"):
        landmark_rows([{"id": "a", "day": "", "left": "1"}], SPEC, patient="id", time="left")


def test_treatments_are_counted_and_dated_up_to_the_landmark() -> None:
    spec = replace(SPEC, total=("met",), since=("met",), at_days=(50.0, 150.0))
    early, late = landmark_rows(VISITS, spec, patient="id", time="left")[:2]
    assert (early["met:total"], early["met:since"]) == ("0", "")
    assert (late["met:total"], late["met:since"]) == ("1", "50.0")


def test_the_last_visits_are_kept_one_by_one() -> None:
    """A patient with fewer visits has fewer columns, which read as missing."""
    spec = replace(SPEC, lagged=("AFP",), lags=2, at_days=(0.0, 150.0))
    early, late = landmark_rows(VISITS, spec, patient="id", time="left")[:2]
    assert (early["AFP@0"], early["days_ago@0"], early.get("AFP@1")) == ("9", "0.0", None)
    assert (late["AFP@0"], late["AFP@1"], late["days_ago@1"]) == ("99", "9", "150.0")


def test_the_onset_after_a_landmark_competes_with_death() -> None:
    """Seen at day 100; after day 150 only the visit at 200 looked; nobody saw b again."""
    spec = replace(SPEC, onset="met", death="dead", at_days=(0.0, 150.0))
    rows = landmark_rows(VISITS, spec, patient="id", time="left")
    found = [(r["id"], r["landmark"], r["onset:time"], r["onset:cause"]) for r in rows]
    assert found == [("a", "0.0", "100.0", "1"), ("a", "150.0", "50.0", "0")]
    wider = replace(spec, age_limit_days=100)
    rows = landmark_rows(VISITS, wider, patient="id", time="left")
    assert (rows[1]["onset:time"], rows[1]["onset:cause"]) == ("150.0", "2")
