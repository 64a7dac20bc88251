"""Concordance: Harrell's C, Uno's C with a horizon τ, cumulative/dynamic AUC.

A risk is higher for patients who fail earlier in all functions here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.training.outcome import Floats, Integers, Outcome, censoring_distribution

SAME = 1e-12


@dataclass(frozen=True, slots=True)
class PairBlock:
    """Concordance of every ordered pair among some rows.

    Attributes:
        rows: Row numbers, shape (m,).
        concordant: Weight of pair (i, j), i failing first, ordered rightly (ties 0.5),
            shape (m, m).
        comparable: Weight of the pair, shape (m, m).
    """

    rows: Integers
    concordant: Floats
    comparable: Floats


@dataclass(frozen=True, slots=True)
class PairTable:
    """Concordance by blocks of rows that may be compared, for fast bootstrap."""

    blocks: tuple[PairBlock, ...]

    def concordance(self, weights: Floats | None = None) -> float:
        """Concordance with weighted rows; NaN without a comparable pair."""
        right = pairs = 0.0
        for block in self.blocks:
            weight = np.ones(len(block.rows)) if weights is None else weights[block.rows]
            right += float(weight @ block.concordant @ weight)
            pairs += float(weight @ block.comparable @ weight)
        return right / pairs if pairs > 0 else float("nan")


def comparable_pairs(outcome: Outcome, tau: float | None = None) -> Floats:
    """1.0 where patient i (row) fails while patient j (column) is known to live longer.

    An event and a censoring at the same time are comparable; two events are not.
    """
    time, event = outcome.time, outcome.event
    fails = event if tau is None else event & (time < tau)
    longer = (time[:, None] < time[None, :]) | ((time[:, None] == time[None, :]) & ~event[None, :])
    return np.asarray(fails[:, None] & longer, np.float64)


def pair_table(
    risk: Floats,
    outcome: Outcome,
    *,
    groups: Integers | None = None,
    tau: float | None = None,
    row_weights: Floats | None = None,
) -> PairTable:
    """Order every comparable pair by risk.

    Args:
        risk: Higher means earlier failure, shape (n,).
        outcome: The observed outcomes.
        groups: Only pairs inside a group are compared (folds: risks of different fitted
            models need not share a scale; landmarks: different times zero).
        tau: Events at or after it are not counted.
        row_weights: Weight of each failing patient (Uno), shape (n,).
    """
    return _table(risk, groups, row_weights, lambda rows: comparable_pairs(outcome.take(rows), tau))


def auc_pairs(
    risk: Floats,
    outcome: Outcome,
    horizon: float,
    *,
    groups: Integers | None = None,
    reference: Outcome | None = None,
) -> PairTable:
    """Pairs of the cumulative/dynamic AUC: failed by the horizon against alive after it."""
    case = outcome.event & (outcome.time <= horizon)
    control = outcome.time > horizon
    return _table(
        risk,
        groups,
        _plain_weights(outcome, reference),
        lambda rows: np.asarray(case[rows][:, None] & control[rows][None, :], np.float64),
    )


def weighted_pairs(
    risk: Floats, groups: Integers | None, comparable_of: Callable[[Integers], Floats]
) -> PairTable:
    """Order pairs by risk whose weights (0 where not comparable) a function of rows gives."""
    return _table(risk, groups, None, comparable_of)


def _table(
    risk: Floats,
    groups: Integers | None,
    row_weights: Floats | None,
    comparable_of: Callable[[Integers], Floats],
) -> PairTable:
    group = np.zeros(len(risk), np.int64) if groups is None else groups
    blocks = []
    for k in np.unique(group):
        rows = np.flatnonzero(group == k)
        comparable = comparable_of(rows)
        if row_weights is not None:
            comparable = comparable * row_weights[rows][:, None]
        difference = risk[rows][:, None] - risk[rows][None, :]
        ordered = np.where(np.abs(difference) <= SAME, 0.5, (difference > 0).astype(np.float64))
        blocks.append(PairBlock(rows, comparable * ordered, comparable))
    return PairTable(tuple(blocks))


def merged(tables: Iterable[PairTable]) -> PairTable:
    """One table of several rounds of predictions for the same rows."""
    return PairTable(tuple(block for table in tables for block in table.blocks))


def harrell_c(risk: Floats, outcome: Outcome) -> float:
    """Harrell's concordance (Harrell et al., Stat Med 1996;15:361).

    Raises:
        InputError: No pair can be compared.
    """
    value = pair_table(risk, outcome).concordance()
    if np.isnan(value):
        raise InputError(f"No comparable pair among {len(outcome)} patients")
    return value


def uno_pairs(
    risk: Floats,
    outcome: Outcome,
    *,
    tau: float,
    groups: Integers | None = None,
    reference: Outcome | None = None,
) -> PairTable:
    """Pairs of Uno's concordance, weighted for censoring; arguments as in ``uno_c``."""
    weights = _plain_weights(outcome, reference)
    return pair_table(risk, outcome, groups=groups, tau=tau, row_weights=weights**2)


def uno_c(risk: Floats, outcome: Outcome, *, tau: float, reference: Outcome | None = None) -> float:
    """Uno's concordance up to τ, weighted for censoring (doi:10.1002/sim.4154).

    Args:
        risk: Higher means earlier failure.
        outcome: The patients judged.
        tau: Horizon; must lie inside follow-up.
        reference: Patients the censoring distribution is estimated on (training set);
            the judged patients themselves when None.
    """
    value = uno_pairs(risk, outcome, tau=tau, reference=reference).concordance()
    if np.isnan(value):
        raise InputError(f"No comparable pair before {tau:g} months")
    return value


def _plain_weights(outcome: Outcome, reference: Outcome | None) -> Floats:
    """1 / G(t) with G right-continuous, as published."""
    survival = censoring_distribution(reference or outcome)(outcome.time)
    return np.divide(1.0, survival, out=np.zeros_like(survival), where=survival > 0)


def cumulative_dynamic_auc(
    risk: Floats, outcome: Outcome, horizon: float, *, reference: Outcome | None = None
) -> float:
    """AUC of failing by a horizon against surviving it (doi:10.1002/sim.5958).

    NaN when one side is empty.
    """
    return auc_pairs(risk, outcome, horizon, reference=reference).concordance()
