"""Builders of clinical values as fixtures."""

from collections.abc import Callable

import pytest

from engine.values.clinical import Observation
from engine.values.lesion import TumorBurden
from engine.values.prognosis import Score
from tests.phantoms.clinical_records import make_burden, make_observation, make_score


@pytest.fixture
def observation() -> Callable[..., Observation]:
    return make_observation


@pytest.fixture
def burden() -> Callable[..., TumorBurden]:
    return make_burden


@pytest.fixture
def score() -> Callable[..., Score]:
    return make_score
