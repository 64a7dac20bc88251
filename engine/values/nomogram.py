"""A nomogram: how each predictor moves an additive score, as axes that can be drawn."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class NomogramTick:
    """A printed place on an axis.

    Attributes:
        label: What is printed ("40", "male", "0.8").
        effect: Contribution to the score on a predictor's axis; the score on an outcome scale.
    """

    label: str
    effect: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NomogramAxis:
    """One predictor.

    Attributes:
        label: Name with unit.
        ticks: At least one; effects in any order.
        patient: The patient's own value; None when it is missing.
    """

    label: str
    ticks: tuple[NomogramTick, ...]
    patient: NomogramTick | None = field(default=None, repr=False)

    @property
    def lowest(self) -> float:
        """Smallest effect on the axis, the patient's included: 0 points."""
        return min(self._effects())

    @property
    def span(self) -> float:
        """Largest minus smallest effect."""
        effects = self._effects()
        return max(effects) - min(effects)

    def _effects(self) -> list[float]:
        marks = [*self.ticks, *([self.patient] if self.patient is not None else [])]
        return [mark.effect for mark in marks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nomogram:
    """An additive score or risk model with one patient marked.

    The score is ``constant`` plus the effect of every axis.

    Attributes:
        title: Score or package with version.
        axes: One per predictor.
        scales: Outcome scales aligned with the total ("24-month survival").
        constant: Score when every effect is 0.
        note: One line below the drawing.
    """

    title: str
    axes: tuple[NomogramAxis, ...]
    scales: tuple[NomogramAxis, ...] = ()
    constant: float = 0.0
    note: str = ""

    @property
    def unit_effect(self) -> float:
        """Effect of one point: the widest axis is 100 points."""
        widest = max((axis.span for axis in self.axes), default=0.0)
        return widest / 100.0 if widest > 0 else 1.0

    @property
    def offset(self) -> float:
        """Score at 0 total points."""
        return self.constant + sum(axis.lowest for axis in self.axes)

    @property
    def maximum_points(self) -> float:
        """Total points at the far end of every axis."""
        return sum(axis.span for axis in self.axes) / self.unit_effect

    @property
    def patient_total(self) -> float | None:
        """The patient's score; None when a predictor is missing."""
        effects = [axis.patient.effect for axis in self.axes if axis.patient is not None]
        return self.constant + sum(effects) if len(effects) == len(self.axes) else None

    def points(self, score: float) -> float:
        """Total points of a score."""
        return (score - self.offset) / self.unit_effect
