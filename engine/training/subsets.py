"""Performance for every subset of modalities and for declared subgroups."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from joblib import Parallel, delayed  # type: ignore[import-untyped]  # joblib ships no types

from engine.training.cohort import Cohort
from engine.training.concordance import PairTable, merged
from engine.training.external_tables import groups_of
from engine.training.folds import patient_folds
from engine.training.outcome import Floats, Integers
from engine.training.recipe import ValidationSpec
from engine.training.resampling import Interval, concordance_interval
from engine.training.truth import truth_of
from engine.training.validation import Fit, HeldOut

LARGEST_SUBSETS = 15


def modality_subsets(modalities: Sequence[str]) -> list[tuple[str, ...]]:
    """Every subset that is not empty, largest first; at most fifteen."""
    sizes = range(len(modalities), 0, -1)
    every = [subset for size in sizes for subset in combinations(modalities, size)]
    return every[:LARGEST_SUBSETS]


def subset_concordances(
    fit: Fit, cohort: Cohort, spec: ValidationSpec, *, jobs: int = 1
) -> tuple[tuple[str, Interval], ...]:
    """Held-out concordance of one strategy when held-out rows lack modalities.

    The strategy is trained on all modalities; at prediction the others are hidden, as they
    are for a patient who never had them. One round of the recipe's folds.
    """
    modalities = list(dict.fromkeys(c.modality for c in cohort.columns))
    subsets = modality_subsets(modalities)
    folds = patient_folds(cohort, folds=spec.folds, seed=spec.seed)
    parts = Parallel(n_jobs=jobs)(
        delayed(_risks)(fit, cohort, folds == k, subsets, spec.seed + k) for k in range(spec.folds)
    )
    rows, truth = [], truth_of(cohort.outcome, cohort.cause)
    for number, subset in enumerate(subsets):
        risk = np.empty(len(cohort))
        for k, part in enumerate(parts):
            risk[folds == k] = part[number]
        table = truth.harrell_pairs(risk, cohort.comparison_groups(folds))
        rows.append((" + ".join(subset), _interval(table, cohort.patients, spec)))
    return tuple(rows)


def _risks(
    fit: Fit, cohort: Cohort, held: np.ndarray, subsets: list[tuple[str, ...]], seed: int
) -> list[Floats]:
    fitted, _ = fit(cohort.take(~held), seed)
    risks = []
    for subset in subsets:
        shown = replace(cohort, values=cohort.values.copy())
        hidden = np.setdiff1d(np.arange(len(cohort.columns)), cohort.of_modalities(subset))
        shown.values[:, hidden] = np.nan
        risks.append(fitted.risk(shown.values[held]))
    return risks


def subgroup_concordances(
    held: HeldOut, cohort: Cohort, spec: ValidationSpec, names: tuple[str, ...]
) -> tuple[tuple[str, int, int, Interval], ...]:
    """Held-out concordance inside each subgroup of declared columns.

    Columns with more than eight values are split at the median.

    Returns:
        (subgroup, rows, events, concordance) per subgroup.
    """
    rows = []
    for name in names:
        for label, members in groups_of(name, cohort.extra[name]):
            table = merged(
                held.truth.harrell_pairs(r, np.where(members, g, -1 - np.arange(len(g))))
                for r, g in zip(held.risk, held.groups, strict=True)
            )
            rows.append(
                (
                    label,
                    int(members.sum()),
                    int(held.outcome.event[members].sum()),
                    _interval(table, cohort.patients, spec),
                )
            )
    return tuple(rows)


def _interval(table: PairTable, patients: Integers, spec: ValidationSpec) -> Interval:
    return concordance_interval(table, patients, resamples=spec.bootstrap, seed=spec.seed)
