"""Onset of an event between visits, death competing."""

import pytest

from engine.training.onset import onset
from engine.training.recipe import LandmarkSpec, RecipeError

SPEC = LandmarkSpec(day="day", at_days=(100.0,), age_limit_days=90, onset="new", death="dead")


def visits(*days: tuple[float, int], dead: int) -> list[tuple[float, dict[str, str]]]:
    return [(day, {"new": str(new), "dead": str(dead)}) for day, new in days]


def test_the_visit_that_saw_the_event_is_its_time() -> None:
    """What was seen before the landmark does not count again."""
    seen = visits((50, 1), (150, 0), (250, 1), (300, 1), dead=1)
    assert onset(seen, SPEC, 100.0, 400.0) == (150.0, 1)


def test_death_soon_after_the_last_visit_competes() -> None:
    assert onset(visits((50, 0), (150, 0), dead=1), SPEC, 100.0, 200.0) == (100.0, 2)


def test_death_long_after_the_last_visit_leaves_the_event_unknown() -> None:
    """The patient is censored at his last visit."""
    assert onset(visits((50, 0), (150, 0), dead=1), SPEC, 100.0, 400.0) == (50.0, 0)


def test_a_patient_nobody_saw_again_has_no_outcome() -> None:
    assert onset(visits((50, 0), dead=0), SPEC, 100.0, 400.0) is None


def test_a_column_of_death_is_needed() -> None:
    without = LandmarkSpec(day="day", at_days=(100.0,), onset="new")
    with pytest.raises(RecipeError, match="needs a column of death"):
        onset(visits((50, 0), dead=0), without, 100.0, 400.0)
