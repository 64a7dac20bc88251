"""How a contrast phase was lined up with the reference phase."""

from dataclasses import dataclass

from engine.values.identity import ContrastPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRegistration:
    """One further phase: its fit to the reference phase, or why it was not used.

    Attributes:
        phase: Contrast phase.
        series_instance_uid: Its series.
        edge_correlation: Correlation of gradient magnitudes around the liver after
            registration, −1..1; None when it never came to that.
        edge_correlation_before: The same before.
        least_jacobian: Least volume ratio of the deformation in the liver.
        largest_shift_mm: Largest displacement in the liver.
        refusal: Why the phase has no features; empty when it has.
    """

    phase: ContrastPhase
    series_instance_uid: str
    edge_correlation: float | None = None
    edge_correlation_before: float | None = None
    least_jacobian: float | None = None
    largest_shift_mm: float | None = None
    refusal: str = ""
