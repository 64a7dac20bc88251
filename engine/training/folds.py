"""Splitting by patient: all rows of a patient stay on one side."""

import numpy as np

from engine.errors import InputError
from engine.training.cohort import Cohort
from engine.training.outcome import Integers


def patient_folds(cohort: Cohort, *, folds: int, seed: int) -> Integers:
    """Assign each row a fold number, balanced for events.

    Args:
        cohort: The rows to split.
        folds: How many folds.
        seed: Same seed, same split, on every machine.

    Returns:
        Fold numbers 0..folds-1, shape (n,).

    Raises:
        InputError: Fewer patients with an event than folds.
    """
    patients = np.unique(cohort.patients)
    failing = np.unique(cohort.patients[cohort.outcome.event])
    if len(failing) < folds:
        raise InputError(
            f"{folds} folds need at least {folds} patients with an event, found {len(failing)}"
        )
    random = np.random.default_rng(seed)
    surviving = np.setdiff1d(patients, failing)
    order = np.concatenate((random.permutation(failing), random.permutation(surviving)))
    number = np.empty(int(patients.max()) + 1, np.int64)
    number[order] = np.arange(len(order)) % folds
    return np.asarray(number[cohort.patients], np.int64)
