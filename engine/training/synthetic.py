"""Synthetic cohorts with planted effects, for strategies whose modality no public data has.

Each modality has one latent factor per patient. The log hazard is the sum of the factors
times their planted effects (plus a bend, where declared), times to event are exponential,
censoring is uniform. What a perfect model could reach is therefore known: the concordance
of the true log hazard, kept in the column ``true_log_hazard``.
"""

import numpy as np

from engine.training.outcome import Floats
from engine.training.recipe import SyntheticModality, SyntheticSpec

EARLIEST_END_MONTHS = 6.0


def synthetic_rows(spec: SyntheticSpec) -> list[dict[str, str]]:
    """Rows as a CSV reader would give them.

    Columns: ``patient``, ``time`` (months), ``event``, ``true_log_hazard`` and
    "modality_1" … per modality, empty where the patient lacks the modality.
    """
    random = np.random.default_rng(spec.seed)
    blocks = [_block(m, spec.patients, random) for m in spec.modalities]
    log_hazard = np.sum([hazard for _, hazard in blocks], axis=0)
    scale = spec.median_months / np.log(2.0)
    time = random.exponential(scale * np.exp(-log_hazard))
    end = random.uniform(EARLIEST_END_MONTHS, spec.follow_up_months, spec.patients)
    rows = []
    for k in range(spec.patients):
        row = {
            "patient": str(k),
            "time": repr(float(min(time[k], end[k]))),
            "event": str(int(time[k] <= end[k])),
            "true_log_hazard": repr(float(log_hazard[k])),
        }
        for modality, (values, _) in zip(spec.modalities, blocks, strict=True):
            row |= {
                f"{modality.name}_{j + 1}": "" if np.isnan(v) else repr(float(v))
                for j, v in enumerate(values[k])
            }
        rows.append(row)
    return rows


def _block(
    modality: SyntheticModality, patients: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Columns (n, columns) and this modality's share of the log hazard (n,)."""
    factor = random.normal(size=patients)
    values = random.normal(size=(patients, modality.columns))
    signal = slice(0, modality.signal)
    values[:, signal] = factor[:, None] + modality.noise * values[:, signal]
    values[random.random(patients) < modality.missing] = np.nan
    return values, modality.effect * factor + modality.bend * (factor**2 - 1.0)
