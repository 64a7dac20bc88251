"""Size and number criteria over all lesions of one liver."""

import math

from engine.values.lesion import Lesion, TumorBurden


def tumor_burden(lesions: tuple[Lesion, ...], *, liver_volume_ml: float) -> TumorBurden:
    """Add the lesions up and apply the size-and-number criteria.

    Sizes are the long-axis diameters. Without a lesion every criterion is None: there
    is nothing to stage. Sources: engine.values.lesion.TumorBurden.
    """
    sizes = sorted((lesion.long_axis.length_mm for lesion in lesions), reverse=True)
    total = math.fsum(lesion.volume_ml for lesion in lesions)
    number = len(sizes)
    largest = sizes[0] if sizes else 0.0
    summed = math.fsum(sizes)
    return TumorBurden(
        number=number,
        largest_mm=largest,
        sum_mm=summed,
        total_volume_ml=total,
        liver_volume_ml=liver_volume_ml,
        tumor_fraction=total / liver_volume_ml,
        tumor_burden_score=math.hypot(largest / 10, number) if number else None,
        within_milan=_within(number, largest <= 50, number <= 3 and largest <= 30),
        within_ucsf=_within(number, largest <= 65, number <= 3 and largest <= 45 and summed <= 80),
        within_up_to_seven=largest / 10 + number <= 7 if number else None,
    )


def _within(number: int, single_fits: bool, several_fit: bool) -> bool | None:
    """A criterion with one rule for a single lesion and one for several."""
    if number == 0:
        return None
    return single_fits if number == 1 else several_fit
