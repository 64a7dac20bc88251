"""Names, units and reasons for the numbers of one image."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import Any

from engine.radiomics.catalog import Aggregation, Family, resolve_unit
from engine.radiomics.definitions import DEFINITIONS
from engine.radiomics.reasons import RegionFacts, explain
from engine.values.features import Feature

DIRECTED = frozenset({Family.COOCCURRENCE, Family.RUN_LENGTH})
TEXTURE = frozenset(
    {
        *DIRECTED,
        Family.SIZE_ZONE,
        Family.DISTANCE_ZONE,
        Family.TONE_DIFFERENCE,
        Family.DEPENDENCE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What is known of an image's features before they are measured, one entry per feature.

    Attributes:
        blocks: (family, aggregation) in output order.
        tags: Short names of the definitions.
        columns: Every field of ``Feature`` but value and reason.
    """

    blocks: tuple[tuple[Family, str], ...]
    tags: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]


def aggregations_of(family: Family, aggregations: Sequence[Aggregation]) -> tuple[str, ...]:
    """Aggregations of a family as the settings list them; "" without texture."""
    if family not in TEXTURE:
        return ("",)
    if family in DIRECTED:
        return tuple(aggregations)
    return tuple(dict.fromkeys(a.dimension for a in aggregations))


@cache
def lay_out(
    families: tuple[Family, ...], aggregations: tuple[Aggregation, ...], unit: str, image: str
) -> Layout:
    """Lay out the features of some families.

    Args:
        families: In output order.
        aggregations: Texture aggregations, in output order.
        unit: UCUM unit of the image's intensities.
        image: Name of the filter; "" for the original image.
    """
    blocks = tuple((f, a) for f in families for a in aggregations_of(f, aggregations))
    rows = [(f, a, d) for f, a in blocks for d in DEFINITIONS[f]]
    return Layout(
        blocks=blocks,
        tags=tuple(d.tag for _, _, d in rows),
        columns={
            "name": tuple(d.name for _, _, d in rows),
            "ibsi_code": tuple(d.ibsi_code for _, _, d in rows),
            "family": tuple(f for f, _, _ in rows),
            "aggregation": tuple(a for _, a, _ in rows),
            "filter": (image,) * len(rows),
            "unit": tuple(resolve_unit(d.unit, unit) for _, _, d in rows),
        },
    )


def name_values(layout: Layout, values: Sequence[float], facts: RegionFacts) -> list[Feature]:
    """Give every number its names and every number that is not finite its reason."""
    numbers = list(values)
    reasons = [""] * len(numbers)
    if not all(map(math.isfinite, numbers)):
        for k, value in enumerate(numbers):
            if not math.isfinite(value):
                numbers[k] = math.nan
                reasons[k] = explain(Family(layout.columns["family"][k]), layout.tags[k], facts)
    return _make_features({**layout.columns, "value": numbers, "reason": reasons})


def _make_features(columns: dict[str, Sequence[Any]]) -> list[Feature]:
    """Build features field by field: the same values as ``Feature(...)``, four times as fast.

    Thousands of features per region make the constructor of a frozen dataclass cost more than
    their texture matrices.
    """
    features = list(map(object.__new__, repeat(Feature, len(columns["value"]))))
    for field, column in columns.items():
        store: Callable[[Feature, Any], None] = getattr(Feature, field).__set__
        _exhaust(map(store, features, column))
    return features


def _exhaust(calls: Iterable[None]) -> None:
    for _ in calls:
        pass
