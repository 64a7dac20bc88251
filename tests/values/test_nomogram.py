"""Nomograms are exact rulers."""

import pytest

from engine.values.nomogram import Nomogram, NomogramAxis, NomogramTick


def _axis(label: str, *effects: float, patient: float | None = None) -> NomogramAxis:
    return NomogramAxis(
        label=label,
        ticks=tuple(NomogramTick(label=f"{e:g}", effect=e) for e in effects),
        patient=None if patient is None else NomogramTick(label="p", effect=patient),
    )


def test_the_widest_axis_is_a_hundred_points_and_totals_add_up() -> None:
    nomogram = Nomogram(
        title="t",
        axes=(_axis("wide", -2.0, 2.0, patient=1.0), _axis("narrow", 0.0, 1.0, patient=0.5)),
        constant=10.0,
    )
    assert nomogram.unit_effect == pytest.approx(0.04)
    assert nomogram.maximum_points == pytest.approx(125.0)
    assert nomogram.patient_total == pytest.approx(11.5)
    assert nomogram.points(11.5) == pytest.approx(75.0 + 12.5)
    assert nomogram.points(nomogram.offset) == pytest.approx(0.0)


def test_a_patient_beyond_the_ticks_widens_the_axis() -> None:
    assert _axis("a", 0.0, 1.0, patient=3.0).span == 3.0
    assert _axis("a", 0.0, 1.0, patient=-1.0).lowest == -1.0


def test_a_missing_predictor_leaves_the_total_open() -> None:
    nomogram = Nomogram(title="t", axes=(_axis("a", 0.0, 1.0),))
    assert nomogram.patient_total is None


def test_a_nomogram_without_effect_has_no_division_by_zero() -> None:
    assert Nomogram(title="t", axes=(_axis("a", 0.0),)).points(0.0) == 0.0
