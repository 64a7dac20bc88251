"""Size and number on the images: tumor burden score, Milan, UCSF, up-to-seven."""

import math

from engine.clinical.scores.definition import (
    Inputs,
    Outcome,
    OutOfBoundsError,
    ScoreDefinition,
    at_most,
)

_EXCLUSIONS = ("macrovascular_invasion", "extrahepatic_spread")


def lesions(inputs: Inputs) -> tuple[int, float]:
    """Number of lesions and largest diameter in cm.

    Raises:
        OutOfBoundsError: There is no lesion to score.
    """
    number = int(inputs.number("tumor_number"))
    if number < 1:
        raise OutOfBoundsError("tumor_number: no lesion")
    return number, inputs.positive("tumor_largest")


def _tumor_burden_score(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    return Outcome(math.hypot(largest_cm, number))


def _within(inputs: Inputs, by_size: bool) -> Outcome:
    """1 within, 0 outside; invasion or spread put a patient outside whatever the size."""
    if any(inputs.known(name) and inputs.has(name) for name in _EXCLUSIONS):
        return Outcome(0.0, "outside")
    unknown = [name.replace("_", " ") for name in _EXCLUSIONS if not inputs.known(name)]
    caveats = (f"Assumes no {' and no '.join(unknown)}: not assessed.",) if unknown else ()
    return Outcome(float(by_size), "within" if by_size else "outside", caveats)


def fits_milan(number: int, largest_cm: float) -> bool:
    """Milan by size and number: one up to 5 cm, or up to three of up to 3 cm."""
    return at_most(largest_cm, 5.0) if number == 1 else number <= 3 and at_most(largest_cm, 3.0)


def _milan(inputs: Inputs) -> Outcome:
    return _within(inputs, fits_milan(*lesions(inputs)))


def _ucsf(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    if number == 1:
        return _within(inputs, at_most(largest_cm, 6.5))
    sum_cm = inputs.number("tumor_sum")
    return _within(inputs, number <= 3 and at_most(largest_cm, 4.5) and at_most(sum_cm, 8.0))


def _up_to_seven(inputs: Inputs) -> Outcome:
    number, largest_cm = lesions(inputs)
    outcome = _within(inputs, at_most(largest_cm + number, 7.0))
    if inputs.known("microvascular_invasion"):
        if inputs.has("microvascular_invasion"):
            return Outcome(0.0, "outside")
        return outcome
    note = "The published condition 'no microvascular invasion' is unknown before surgery."
    return Outcome(outcome.value, outcome.category, (*outcome.caveats, note))


TUMOR_BURDEN_SCORE = ScoreDefinition(
    name="Tumor burden score",
    needs=("tumor_largest", "tumor_number"),
    formula=_tumor_burden_score,
    citation="10.1097/SLA.0000000000002064",
    population="Colorectal liver metastases; later used in HCC after resection",
    caveats=("Cut-offs disagree between HCC sources (2.6/7.9, 10.77, 3.36/13.74): none is used.",),
)

MILAN = ScoreDefinition(
    name="Milan criteria",
    needs=("tumor_number", "tumor_largest"),
    optional=_EXCLUSIONS,
    formula=_milan,
    citation="10.1056/NEJM199603143341104",
    population="Liver transplantation for HCC in cirrhosis",
)

UCSF = ScoreDefinition(
    name="UCSF criteria",
    needs=("tumor_number", "tumor_largest", "tumor_sum"),
    optional=_EXCLUSIONS,
    formula=_ucsf,
    citation="10.1053/jhep.2001.24563",
    population="Liver transplantation for HCC",
    caveats=("Up to 3 nodules; some sources print up to 2.",),
)

UP_TO_SEVEN = ScoreDefinition(
    name="Up-to-seven criteria",
    needs=("tumor_number", "tumor_largest"),
    optional=(*_EXCLUSIONS, "microvascular_invasion"),
    formula=_up_to_seven,
    citation="10.1016/S1470-2045(08)70284-5",
    population="Liver transplantation for HCC beyond Milan",
)
