"""Intraclass correlation with its interval.

ICC(1,1) and its interval follow Shrout and Fleiss 1979 (doi:10.1037/0033-2909.86.2.420). The
quantile of the F distribution comes from the regularized incomplete beta function (DLMF 8.17).
"""

import math
from dataclasses import dataclass

import numpy as np

from engine.radiomics.native import Real

TINY = 1e-300
CONVERGED = 1e-15
MOST_TERMS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Icc:
    """An intraclass correlation; NaN throughout where it is undefined.

    Attributes:
        value: At most 1; negative when repeats differ more than regions.
        lower, upper: Bounds of the interval.
    """

    value: float
    lower: float
    upper: float


UNDEFINED = Icc(value=math.nan, lower=math.nan, upper=math.nan)


def intraclass_correlation(values: Real, *, confidence: float = 0.95) -> Icc:
    """ICC(1,1), one-way random effects, single measurement, with its interval.

    Args:
        values: One row per region, one column per repeat; at least 2 by 2.
        confidence: Of the interval.

    Returns:
        Undefined when a value is missing or all are equal.
    """
    regions, repeats = values.shape
    if regions < 2 or repeats < 2:
        raise ValueError(f"ICC needs two regions and two repeats, got {values.shape}")
    if not np.isfinite(values).all():
        return UNDEFINED
    means = values.mean(axis=1)
    free = (regions - 1, regions * (repeats - 1))
    between = repeats * float(((means - values.mean()) ** 2).sum()) / free[0]
    within = float(((values - means[:, None]) ** 2).sum()) / free[1]
    if between + (repeats - 1) * within <= 0:
        return UNDEFINED
    if within == 0:
        return Icc(value=1.0, lower=1.0, upper=1.0)
    ratio, tail = between / within, 1 - (1 - confidence) / 2
    lowest = ratio / f_quantile(tail, *free)
    highest = ratio * f_quantile(tail, free[1], free[0])
    value, lower, upper = ((f - 1) / (f + repeats - 1) for f in (ratio, lowest, highest))
    return Icc(value=value, lower=lower, upper=upper)


def f_quantile(probability: float, numerator: int, denominator: int) -> float:
    """Quantile of the F distribution, by bisection of its cumulative distribution."""

    def cumulative(f: float) -> float:
        x = numerator * f / (numerator * f + denominator)
        return regularized_beta(x, numerator / 2, denominator / 2)

    low, high = 0.0, 1.0
    while cumulative(high) < probability:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if cumulative(middle) < probability else (low, middle)
    return (low + high) / 2


def regularized_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) by its continued fraction (DLMF 8.17.22), evaluated from the front."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - regularized_beta(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x)
    d = 1 / _not_zero(1 - (a + b) * x / (a + 1))
    c, fraction = 1.0, d
    for m in range(1, MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < CONVERGED:
            break
    return math.exp(front) * fraction / a


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
