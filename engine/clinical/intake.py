"""From a value as a source sent it to an Observation, or to a Rejection with its reason."""

import math
import re
from dataclasses import dataclass, field
from datetime import date, datetime

from engine.clinical.analyte import Analyte
from engine.clinical.analytes import find_analyte
from engine.clinical.units import to_canonical
from engine.clinical.words import coded_word
from engine.errors import ClinicalDataError
from engine.values.clinical import Observation, Rejection, RejectionKind

USABLE_STATUSES = frozenset({"final", "amended", "corrected"})
"""FHIR R4 observation statuses whose value may be used."""

_NUMBER = re.compile(r"^(?P<sign><=|>=|<|>|≤|≥)?\s*(?P<number>[-+]?\d+(\.\d+)?([eE][-+]?\d+)?)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawValue:
    """One value as a source sent it.

    Attributes:
        code: Analyte key or code in ``code_system``.
        code_system: "LN", "SCT" or "" (key or any known code).
        value: Text as sent ("12.5", "<2.0", "mild").
        unit: Unit as sent; empty for coded words.
        observed_on: Day the value belongs to.
        source: Where it came from, without patient data.
        status: FHIR observation status.
        observed_at: Local moment of that day, where the source gives a time.
    """

    code: str
    value: str = field(repr=False)
    source: str
    code_system: str = ""
    unit: str = ""
    observed_on: date | None = field(default=None, repr=False)
    status: str = "final"
    observed_at: datetime | None = field(default=None, repr=False)


class _RefusedError(Exception):
    """A value that is not used; args are the kind and the reason."""


def accept(raw: RawValue) -> Observation | Rejection | None:
    """Turn a raw value into an observation in the canonical unit.

    Args:
        raw: The value as sent.

    Returns:
        An Observation; a Rejection when the status, number, word, unit or plausibility does
        not allow its use; None when HepatoCast does not know the analyte at all.
    """
    analyte = find_analyte(raw.code.strip(), raw.code_system)
    if analyte is None:
        return None
    try:
        value, imputed = _value(raw, analyte)
    except _RefusedError as error:
        kind, reason = error.args
        return Rejection(
            analyte=analyte.key,
            source=raw.source,
            reason=str(reason),
            observed_on=raw.observed_on,
            kind=kind,
            name=analyte.name,
        )
    return Observation(
        analyte=analyte.key,
        code=analyte.code,
        code_system=analyte.code_system,
        value=value,
        unit=analyte.unit,
        observed_on=raw.observed_on,
        source=raw.source,
        status=raw.status,
        imputed=imputed,
        name=analyte.name,
        received=f"{raw.value} {raw.unit}".strip(),
        observed_at=raw.observed_at,
    )


def _value(raw: RawValue, analyte: Analyte) -> tuple[float | str, bool]:
    if raw.status not in USABLE_STATUSES:
        reason = f"status '{raw.status}', needs one of final, amended, corrected"
        raise _RefusedError(RejectionKind.STATUS, reason)
    if not analyte.is_number:
        try:
            return coded_word(raw.value, analyte), False
        except ClinicalDataError as error:
            raise _RefusedError(RejectionKind.UNREADABLE, str(error)) from error
    number, censored = _number(raw.value, analyte)
    try:
        converted = to_canonical(number, raw.unit, analyte)
    except ClinicalDataError as error:
        raise _RefusedError(RejectionKind.UNIT, str(error)) from error
    if not analyte.low <= converted <= analyte.high:
        reason = (
            f"outside the plausible range {analyte.low:g} to {analyte.high:g} {analyte.unit}: "
            f"{analyte.reason}"
        )
        raise _RefusedError(RejectionKind.IMPLAUSIBLE, reason)
    return converted, censored


def _number(text: str, analyte: Analyte) -> tuple[float, bool]:
    match = _NUMBER.match(text.strip())
    if match is None:
        raise _RefusedError(RejectionKind.UNREADABLE, "not a number with a decimal point")
    number = float(match["number"])
    if not math.isfinite(number):
        raise _RefusedError(RejectionKind.UNREADABLE, "not a finite number")
    if match["sign"] and not analyte.censored:
        reason = f"'{match['sign']}' leaves the value open; needs a number"
        raise _RefusedError(RejectionKind.UNREADABLE, reason)
    return number, match["sign"] is not None
