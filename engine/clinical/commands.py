"""What ``hepatocast clinical show`` and ``hepatocast score`` do (no printing, no exit codes)."""

from collections.abc import Sequence
from datetime import date

from engine.clinical.analytes import ANALYTES
from engine.clinical.intake import RawValue, accept
from engine.clinical.join import join_sources
from engine.clinical.scores.compute import complete
from engine.clinical.scores.definition import ScoreDefinition, evaluate
from engine.clinical.scores.inputs import IMAGE_UNITS, unit_of
from engine.clinical.scores.table import SCORES, find_score
from engine.clinical.source_opening import SourceOptions, open_sources
from engine.errors import ClinicalDataError
from engine.values.clinical import ClinicalRecord, Rejection
from engine.values.identity import PatientIdentity
from engine.values.prognosis import Score, ScoreInput

_SOURCE = "command line"


def show(
    addresses: Sequence[str],
    patient: PatientIdentity,
    reference_date: date | None,
    options: SourceOptions | None = None,
) -> ClinicalRecord:
    """The record that would be used of a patient, from any sources.

    Args:
        addresses: Files, or addresses of other sources (see ``source_opening``).
        patient: As the images name them.
        reference_date: Imaging or surgery date.
        options: What the user gave beside the addresses.

    Returns:
        The record; a source that is down or speaks about somebody else is among its notes.

    Raises:
        ClinicalDataError: An address cannot be opened at all.
    """
    chosen = options or SourceOptions()
    sources = [s for address in addresses for s in open_sources(address, chosen)]
    return join_sources(sources, patient, reference_date)


def score(name: str, assignments: Sequence[str]) -> str:
    """One score from ``key=value`` or ``key=value:unit`` words.

    Args:
        name: Score name as in ``list_scores``; case and blanks do not matter.
        assignments: "albumin=3.9:g/dL", "sex=male", "tumor_largest=4.2" (cm).

    Raises:
        ClinicalDataError: Unknown score or key, or an unusable value.
    """
    definition = find_score(name)
    if definition is None:
        known = ", ".join(d.name for d in SCORES)
        raise ClinicalDataError(f"No score is called '{name}'; known are {known}")
    inputs = dict(_assigned(text, definition) for text in assignments)
    complete(inputs)
    return score_text(evaluate(definition, inputs))


def list_scores() -> str:
    """Every score with its inputs and their units."""
    return "\n".join(
        f"{d.name:30} {', '.join(f'{n} [{unit_of(n)}]' for n in d.needs)}"
        + ("" if d.confirmed else "  (unconfirmed)")
        for d in SCORES
    )


def score_text(result: Score) -> str:
    """A score as lines: result, inputs, what was missing, citation, caveats."""
    if result.value is None:
        lines = [f"{result.name}: not computed; missing {', '.join(result.missing)}"]
    else:
        lines = [f"{result.name}: {result.value:.4g}  {result.category}"]
    if not result.confirmed:
        lines.append("  UNCONFIRMED: a coefficient was not found in a source")
    for given in result.inputs:
        value = "missing" if given.value is None else given.value
        shown = f"{value:g}" if isinstance(value, float | int) else value
        unit = "" if given.unit == "1" or given.value is None else f" {given.unit}"
        lines.append(f"  {given.name} = {shown}{unit}")
    lines.append(f"  source: {result.citation}")
    lines.append(f"  population: {result.population}")
    lines += [f"  validation: {result.validation}"] if result.validation else []
    lines += [f"  note: {caveat}" for caveat in result.caveats]
    return "\n".join(lines)


def _assigned(text: str, definition: ScoreDefinition) -> tuple[str, ScoreInput]:
    key, separator, told = text.partition("=")
    key = key.strip()
    if not separator or (key not in ANALYTES and key not in IMAGE_UNITS):
        needed = ", ".join((*definition.needs, *definition.optional))
        raise ClinicalDataError(
            f"'{key}' is no input; {definition.name} takes key=value[:unit] of {needed}"
        )
    if key in IMAGE_UNITS:
        return key, _measured(key, told)
    value, _, unit = told.partition(":")
    accepted = accept(RawValue(code=key, value=value, unit=unit or unit_of(key), source=_SOURCE))
    if accepted is None or isinstance(accepted, Rejection):
        reason = accepted.reason if accepted is not None else "not known"
        raise ClinicalDataError(f"{key} cannot be used: {reason}")
    return key, ScoreInput(name=key, value=accepted.value, unit=accepted.unit, source=_SOURCE)


def _measured(key: str, told: str) -> ScoreInput:
    """An image measurement typed by hand, in its own unit."""
    try:
        value = float(told)
    except ValueError:
        raise ClinicalDataError(f"{key} needs a number in {IMAGE_UNITS[key]}") from None
    if not 0 <= value < float("inf"):
        raise ClinicalDataError(f"{key} must be a finite number of at least 0")
    return ScoreInput(name=key, value=value, unit=IMAGE_UNITS[key], source=_SOURCE)
