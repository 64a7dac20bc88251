"""Nomograms of what was answered for this patient: risk packages, then points scores."""

from collections.abc import Iterator

from engine.clinical.scores.compute import complete
from engine.clinical.scores.inputs import gather
from engine.clinical.scores.nomogram import build_score_nomogram
from engine.clinical.scores.table import find_score
from engine.errors import ClinicalDataError, ModelPackageError
from engine.prognosis.inputs import PatientInputs
from engine.prognosis.nomogram import build_package_nomogram
from engine.prognosis.prediction import OpenRiskPackage
from engine.values.identity import PatientIdentity
from engine.values.nomogram import Nomogram
from engine.values.prognosis import RiskPrediction

HORIZONS_MONTHS = (12.0, 24.0, 36.0, 60.0)
POINTS_SCORES = ("ERS", "POLAR-HCC (log-hazard index)")
"""Scores of recurrence after resection whose points one would otherwise add by hand."""


def draw_nomograms(
    packages: tuple[OpenRiskPackage, ...],
    answers: tuple[object, ...],
    inputs: PatientInputs,
    patient: PatientIdentity,
) -> tuple[Nomogram, ...]:
    """Every nomogram that can be drawn with this patient on it.

    Args:
        packages: Risk packages in the order of their answers.
        answers: What each said; a refused one is not drawn.
        inputs: The values the predictions were made from.
        patient: Gives age and sex where the record does not.

    Returns:
        Packages first. A model or score that is no sum over its predictors has none.
    """
    drawn = [
        _of_package(package, inputs)
        for package, answer in zip(packages, answers, strict=True)
        if isinstance(answer, RiskPrediction)
    ]
    return (*(n for n in drawn if n is not None), *_of_scores(inputs, patient))


def _of_package(package: OpenRiskPackage, inputs: PatientInputs) -> Nomogram | None:
    months = tuple(m for m in HORIZONS_MONTHS if m in package.package.times_months)
    try:
        return build_package_nomogram(package, inputs, months)
    except ModelPackageError:  # not additive: contributions tell what a nomogram would
        return None


def _of_scores(inputs: PatientInputs, patient: PatientIdentity) -> Iterator[Nomogram]:
    computed = {score.name for score in inputs.scores if score.value is not None}
    values = gather(inputs.record, inputs.burden, patient)
    complete(values)
    for name in POINTS_SCORES:
        definition = find_score(name)
        if definition is None or name not in computed:
            continue
        try:
            yield build_score_nomogram(definition, values)
        except ClinicalDataError:  # the points do not add up for this patient
            continue
