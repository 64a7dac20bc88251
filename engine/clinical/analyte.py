"""What HepatoCast knows about one kind of clinical value."""

from dataclasses import dataclass

LOINC = "LN"
SNOMED_CT = "SCT"
PRIVATE = "99HEPATOCAST"

PRESENT = "present"
ABSENT = "absent"
YES_NO = (ABSENT, PRESENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyte:
    """One kind of clinical value.

    Attributes:
        key: Short stable name used everywhere in HepatoCast.
        name: What a report prints.
        code: Preferred code in ``code_system``.
        code_system: "LN", "SCT" or the private "99HEPATOCAST".
        unit: Canonical UCUM unit; "1" for coded words and pure numbers.
        further_codes: Other (code system, code) pairs that mean the same property.
        molar_mass_g_mol: For mass ↔ substance conversion; None where it makes no sense.
        words: Allowed coded words; empty for a number.
        low, high: Plausible bounds in ``unit``.
        reason: Why a value beyond the bounds is refused.
        age_limit_days: Oldest usable value before the reference date; None never stales.
        censored: True when "<x" and ">x" may stand for x (marked as imputed).
    """

    key: str
    name: str
    code: str
    code_system: str = LOINC
    unit: str = "1"
    further_codes: tuple[tuple[str, str], ...] = ()
    molar_mass_g_mol: float | None = None
    words: tuple[str, ...] = ()
    low: float = 0.0
    high: float = float("inf")
    reason: str = ""
    age_limit_days: int | None = None
    censored: bool = False

    @property
    def is_number(self) -> bool:
        """True for measured numbers, False for coded words."""
        return not self.words


def loinc(*codes: str) -> tuple[tuple[str, str], ...]:
    """Pairs of the LOINC code system and each code."""
    return tuple((LOINC, code) for code in codes)
