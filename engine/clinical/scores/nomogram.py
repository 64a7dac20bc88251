"""The nomogram of a published additive score, by probing its formula.

Each input is varied alone over round values; what the score then does is the input's axis. A
score that is not a sum of one term per input (MELD's rounding, staging trees) has no nomogram
and is refused.
"""

import math
from collections.abc import Mapping

from engine.clinical.analytes import ANALYTES
from engine.clinical.scores.definition import (
    Inputs,
    OutOfBoundsError,
    ScoreDefinition,
    evaluate,
)
from engine.clinical.scores.inputs import IMAGE_UNITS, unit_of
from engine.errors import ClinicalDataError
from engine.values.nomogram import Nomogram, NomogramAxis, NomogramTick
from engine.values.prognosis import ScoreInput

ADDITIVITY_TOLERANCE = 1e-9

_PROBES: dict[str, tuple[float, ...]] = {
    "age": (20, 30, 40, 50, 60, 70, 80, 90),
    "bilirubin_total": (3, 5, 10, 20, 50, 100, 200),
    "albumin": (20, 25, 30, 35, 40, 45, 50),
    "platelets": (50, 100, 150, 200, 250, 300, 400),
    "afp": (1, 10, 100, 1000, 10_000),
    "afp_l3": (0, 10, 20, 30, 40, 50),
    "pivka_ii": (10, 100, 1000, 10_000),
    "tumor_largest": (1, 2, 3, 4, 5, 7, 10, 15),
    "tumor_number": (1, 2, 3, 4),
    "tumor_fraction": (0.1, 0.3, 0.5, 0.7),
}


def build_score_nomogram(definition: ScoreDefinition, values: Mapping[str, ScoreInput]) -> Nomogram:
    """Make the nomogram of a score with the patient marked.

    Args:
        definition: The score.
        values: The patient's inputs by name; missing ones leave their axis unmarked.

    Raises:
        ClinicalDataError: The score is not additive over its inputs, or an input has no axis.
    """
    middle = {name: _input(name, _probes(name)[0]) for name in definition.needs}
    constant = _score(definition, middle)
    axes = tuple(_axis(definition, name, middle, constant, values) for name in definition.needs)
    nomogram = Nomogram(
        title=definition.name,
        axes=axes,
        constant=constant,
        note=f"{definition.citation}. Research use only.",
    )
    _require_additive(definition, nomogram, middle)
    patient = evaluate(definition, values)
    total = nomogram.patient_total
    if patient.value is not None and total is not None and not _close(patient.value, total):
        raise _refusal(definition)
    return nomogram


def _axis(
    definition: ScoreDefinition,
    name: str,
    middle: Mapping[str, ScoreInput],
    constant: float,
    values: Mapping[str, ScoreInput],
) -> NomogramAxis:
    def tick(value: float | str) -> NomogramTick:
        changed = {**middle, name: _input(name, value)}
        label = f"{value:g}" if isinstance(value, float | int) else value
        return NomogramTick(label=label, effect=_score(definition, changed) - constant)

    given = values.get(name)
    patient = None if given is None or given.value is None else tick(given.value)
    unit = unit_of(name)
    words = ANALYTES[name].name if name in ANALYTES else name.replace("_", " ")
    label = words if unit == "1" else f"{words}, {unit}"
    return NomogramAxis(label=label, ticks=tuple(map(tick, _probes(name))), patient=patient)


def _require_additive(
    definition: ScoreDefinition, nomogram: Nomogram, middle: Mapping[str, ScoreInput]
) -> None:
    """Compare the formula with the sum of the axes at the far end of all of them."""
    for step in (-1, len(middle) // 2):
        together = dict(middle)
        expected = nomogram.constant
        for name, axis in zip(definition.needs, nomogram.axes, strict=True):
            place = step % len(axis.ticks)
            together[name] = _input(name, _probes(name)[place])
            expected += axis.ticks[place].effect
        if not _close(_score(definition, together), expected):
            raise _refusal(definition)


def _probes(name: str) -> tuple[float, ...] | tuple[str, ...]:
    if name in _PROBES:
        return _PROBES[name]
    if name not in IMAGE_UNITS and ANALYTES[name].words:
        return ANALYTES[name].words
    raise ClinicalDataError(f"{name} has no nomogram axis")


def _input(name: str, value: float | str) -> ScoreInput:
    return ScoreInput(name=name, value=value, unit=unit_of(name))


def _score(definition: ScoreDefinition, inputs: Mapping[str, ScoreInput]) -> float:
    try:
        return definition.formula(Inputs(inputs)).value
    except OutOfBoundsError as error:
        raise ClinicalDataError(f"{definition.name} has no nomogram: {error}") from error


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, abs_tol=ADDITIVITY_TOLERANCE, rel_tol=ADDITIVITY_TOLERANCE)


def _refusal(definition: ScoreDefinition) -> ClinicalDataError:
    return ClinicalDataError(f"{definition.name} is not a sum over its inputs: no nomogram")
