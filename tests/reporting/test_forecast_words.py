"""A forecast is never said to be surer, or to reach further, than it does."""

from dataclasses import replace

from engine.reporting.forecast_words import (
    bound_sentences,
    effect_note,
    headline,
    horizon_rows,
    interval_text,
)
from engine.values.prognosis import SurvivalBound
from tests.phantoms.analysis_result import PREDICTION


def test_each_horizon_has_its_probability_and_interval() -> None:
    assert horizon_rows(PREDICTION) == [
        ("12", "80%", "72% to 87%"),
        ("24", "66%", "55% to 76%"),
        ("36", "55%", "43% to 67%"),
        ("60", "41%", "28% to 55%"),
    ]


def test_a_horizon_beyond_the_model_is_refused() -> None:
    short = replace(
        PREDICTION,
        times_months=(0.0, 6.0, 12.0, 24.0),
        survival=PREDICTION.survival[:4],
        lower=PREDICTION.lower[:4],
        upper=PREDICTION.upper[:4],
    )
    assert horizon_rows(short)[2:] == [
        ("36", "not predicted", "model ends at 24 months"),
        ("60", "not predicted", "model ends at 24 months"),
    ]


def test_a_horizon_between_the_grid_s_times_is_refused_not_guessed() -> None:
    sparse = replace(PREDICTION, times_months=(0.0, 6.0, 12.0, 24.0, 37.0, 60.0))
    assert horizon_rows(sparse)[2] == ("36", "not predicted", "not on the model's time grid")


def test_bounds_equal_to_the_curve_are_no_interval() -> None:
    bare = replace(PREDICTION, lower=PREDICTION.survival, upper=PREDICTION.survival)
    assert interval_text(bare, 2) == "no interval given"
    assert "(" not in headline(bare).split("months:")[1]


def test_the_headline_tells_group_percentile_and_interval() -> None:
    assert headline(PREDICTION) == (
        "Intermediate risk group: percentile 63 of the development cohort (100 is the highest "
        "risk). Event-free at 24 months: 66% (55% to 76%)."
    )


def test_a_lower_bound_is_rounded_down_and_at_the_end_of_the_grid_said_to_lie_later() -> None:
    bounded = replace(
        PREDICTION,
        lower_bound="conformal lower bound",
        lower_bounds=(
            SurvivalBound(confidence=0.8, months=14.28, at_end=False),
            SurvivalBound(confidence=0.5, months=60.0, at_end=True),
        ),
    )
    first, second = bound_sentences(bounded)
    assert first == (
        "Of such patients stay event-free: 80% longer than 14.2 months, 50% at least 60.0 months."
    )
    assert second == "Conformal lower bound."


def test_contributions_are_said_to_be_no_causes() -> None:
    note = effect_note(replace(PREDICTION, contribution_base=0.2, contribution_method="exact"))
    assert "from +0.20 to +0.42 (exact)" in note
    assert "not causes" in note
