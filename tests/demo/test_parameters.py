"""The population of phantoms."""

import dataclasses

import numpy as np
import pytest

from engine.demo.parameters import DEMO_PARAMETERS, LesionParameters, draw_parameters

POPULATION = [draw_parameters(seed) for seed in range(300)]


def test_equal_seeds_draw_equal_patients() -> None:
    assert draw_parameters(17) == draw_parameters(17)
    assert draw_parameters(17) != draw_parameters(18)


def test_the_population_holds_every_number_of_lesions_from_none_to_six() -> None:
    assert {len(p.lesions) for p in POPULATION} == set(range(7))


def test_some_livers_are_fatty_and_most_are_not() -> None:
    fatty = np.mean([p.liver_offset_hu < -14 for p in POPULATION])
    assert 0.15 < fatty < 0.4


def test_lesions_wash_out_or_stay_dark_in_the_portal_venous_phase() -> None:
    assert all(lesion.portal_offset_hu < -10 for p in POPULATION for lesion in p.lesions)


def test_the_demo_patient_has_lesions_that_the_self_check_must_find() -> None:
    diameters = [lesion.diameter_mm for lesion in DEMO_PARAMETERS.lesions]
    assert len([mm for mm in diameters if mm > 15]) >= 4
    assert max(DEMO_PARAMETERS.lesions, key=lambda lesion: lesion.diameter_mm).necrosis > 0


def test_a_phantom_with_too_many_lesions_is_refused() -> None:
    with pytest.raises(ValueError, match="At most 8 lesions, got 9"):
        dataclasses.replace(DEMO_PARAMETERS, lesions=(LesionParameters(diameter_mm=9.0),) * 9)
