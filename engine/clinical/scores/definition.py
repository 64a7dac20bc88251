"""What a published score is: its inputs, its formula, where it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from engine.clinical.analyte import PRESENT
from engine.clinical.scores.inputs import unit_of
from engine.values.prognosis import Score, ScoreInput

NOT_CLASSIFIED = "not classified"
"""Category of a score whose sources agree on no cut-off."""


class OutOfBoundsError(Exception):
    """An input lies outside the bounds of the score's paper; args are input names with reasons."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Values of one patient by input name, in canonical units; present for every need."""

    values: Mapping[str, ScoreInput]

    def number(self, name: str) -> float:
        """A numeric input in its canonical unit."""
        value = self.values[name].value
        if not isinstance(value, float | int):
            raise OutOfBoundsError(f"{name}: a number is needed")
        return float(value)

    def positive(self, name: str) -> float:
        """A numeric input that the formula needs above 0.

        Raises:
            OutOfBoundsError: The value is 0 or below.
        """
        value = self.number(name)
        if value <= 0:
            raise OutOfBoundsError(f"{name}: must be above 0")
        return value

    def word(self, name: str) -> str:
        """A coded input."""
        return str(self.values[name].value)

    def has(self, name: str) -> bool:
        """True when a coded finding is present."""
        return self.values[name].value == PRESENT

    def known(self, name: str) -> bool:
        """True when an optional input was given."""
        item = self.values.get(name)
        return item is not None and item.value is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a formula.

    Attributes:
        value: Number; stages are numbered in the order of the paper.
        category: Class in the paper's words.
        caveats: What was assumed for this patient.
    """

    value: float
    category: str = NOT_CLASSIFIED
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDefinition:
    """One published score.

    Attributes:
        name: As the paper calls it.
        needs: Names of the required inputs (analyte keys and image measurements).
        optional: Names of inputs that refine the result.
        formula: From inputs to the outcome; may raise OutOfBoundsError.
        citation: DOI, or title and journal where no DOI was confirmed.
        confirmed: False when a coefficient was only recalled; off by default.
        population: Whom the paper studied.
        validation: Published discrimination or outcome figure; empty when none was confirmed.
        caveats: Limits and disagreements between sources.
        unit: UCUM unit of the result.
    """

    name: str
    needs: tuple[str, ...]
    formula: Callable[[Inputs], Outcome]
    citation: str
    population: str
    optional: tuple[str, ...] = ()
    confirmed: bool = True
    validation: str = ""
    caveats: tuple[str, ...] = ()
    unit: str = "1"


def evaluate(definition: ScoreDefinition, values: Mapping[str, ScoreInput]) -> Score:
    """Compute a score, or refuse it naming what is missing or out of bounds.

    Args:
        definition: The score.
        values: Inputs by name; entries without a value count as missing.

    Returns:
        The score with every input it needs, given or not.
    """
    inputs = tuple(
        values.get(name) or _unknown(name) for name in (*definition.needs, *definition.optional)
    )
    missing = tuple(i.name for i in inputs[: len(definition.needs)] if i.value is None)
    outcome = None
    if not missing:
        try:
            outcome = definition.formula(Inputs(values))
        except OutOfBoundsError as error:
            missing = tuple(str(reason) for reason in error.args)
    return Score(
        name=definition.name,
        value=None if outcome is None else outcome.value,
        unit=definition.unit,
        category="" if outcome is None else outcome.category,
        inputs=inputs,
        missing=missing,
        citation=definition.citation,
        confirmed=definition.confirmed,
        caveats=definition.caveats if outcome is None else definition.caveats + outcome.caveats,
        population=definition.population,
        validation=definition.validation,
    )


@lru_cache(maxsize=256)
def _unknown(name: str) -> ScoreInput:
    return ScoreInput(name=name, value=None, unit=unit_of(name))


def at_most(value: float, limit: float) -> bool:
    """``value <= limit`` on decimal cut-offs: 1e-9 absorbs binary rounding, nothing else."""
    return value <= limit + 1e-9


def below(value: float, limit: float) -> bool:
    """``value < limit`` on decimal cut-offs (see ``at_most``)."""
    return value < limit - 1e-9
