"""Contours as a person left them, on the reference grid."""

from dataclasses import dataclass, field, replace

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.errors import CorrectionError
from engine.values.geometry import VolumeGeometry
from engine.values.revision import Decision

MAXIMUM_LESIONS = 254
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLesion:
    """One lesion segment.

    Attributes:
        name: As the segment is called.
        tracking_uid: Identity across results; empty for a segment that never had one.
        box: The part of the grid that holds it.
        mask: Its voxels inside the box, bool.
        decision: What the observer said about it.
    """

    name: str
    tracking_uid: str
    box: Box
    mask: NDArray[np.bool_] = field(repr=False)
    decision: Decision = Decision.NOT_REVIEWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A whole drawing.

    Attributes:
        liver: The organ as drawn, on the grid; lesions may reach beyond it.
        liver_tracking_uid: Empty when the file gave none.
        lesions: In the file's order; none is empty.
        notes: What a reader must know (segments left out, voxels claimed twice).
    """

    liver: NDArray[np.bool_] = field(repr=False)
    liver_tracking_uid: str
    lesions: tuple[DrawnLesion, ...]
    notes: tuple[str, ...] = ()

    def kept(self) -> tuple[DrawnLesion, ...]:
        """The lesions that the observer did not reject."""
        return tuple(les for les in self.lesions if les.decision is not Decision.REJECTED)


def number_lesions(
    drawn: Drawn, grid: VolumeGeometry
) -> tuple[NDArray[np.uint8], tuple[DrawnLesion, ...], tuple[str, ...]]:
    """One label map of the lesions that were not rejected, and what had to be decided for it.

    A voxel that several lesions claim belongs to the smallest of them, so that a small
    lesion is not swallowed by its neighbor.

    Returns:
        Labels 1..n on the grid, the lesions behind them (their masks as they are in the
        labels), and notes.

    Raises:
        CorrectionError: More lesions than labels, or one lies wholly under others.
    """
    kept = drawn.kept()
    if len(kept) > MAXIMUM_LESIONS:
        raise CorrectionError(f"{len(kept)} lesions are drawn, at most {MAXIMUM_LESIONS} fit")
    labels = np.zeros(grid.shape, np.uint8)
    notes: list[str] = []
    shared = 0
    order = sorted(range(len(kept)), key=lambda i: -int(kept[i].mask.sum()))
    for index in order:
        lesion = kept[index]
        part = labels[lesion.box]
        shared += int(np.count_nonzero(part[lesion.mask]))
        part[lesion.mask] = index + 1
    if shared:
        notes.append(
            f"{shared} voxel(s) were drawn as part of more than one lesion; each was given to "
            "the smallest of them."
        )
    numbered = []
    for number, lesion in enumerate(kept, start=1):
        mask = labels[lesion.box] == number
        if not mask.any():
            raise CorrectionError(f"{lesion.name} lies wholly under smaller lesions; remove it")
        notes += _pieces(lesion.name, mask)
        numbered.append(replace(lesion, mask=mask))
    outside = int(np.count_nonzero((labels > 0) & ~drawn.liver))
    if outside:
        volume = outside * grid.spacing.voxel_ml
        notes.append(
            f"Lesions reach {volume:.2f} mL beyond the drawn liver; the liver was extended by it."
        )
    return labels, tuple(numbered), tuple(notes)


def _pieces(name: str, mask: NDArray[np.bool_]) -> list[str]:
    image = sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8)), True)
    count = int(sitk.GetArrayFromImage(image).max())
    if count == 1:
        return []
    return [f"{name} consists of {count} separate pieces and was measured as one lesion."]


def decide(drawn: Drawn, accepted: tuple[str, ...], rejected: tuple[str, ...]) -> Drawn:
    """Write down what the observer said.

    Args:
        drawn: The drawing.
        accepted, rejected: Lesions by number ("2" means "Lesion 2", or the second where
            none is called so), name or tracking UID; "all" accepts every one not rejected.

    Raises:
        CorrectionError: A lesion is not there, or is both accepted and rejected.
    """
    said: dict[int, Decision] = {}
    for words, decision in ((rejected, Decision.REJECTED), (accepted, Decision.ACCEPTED)):
        for word in words:
            if decision is Decision.ACCEPTED and word == "all":
                continue
            index = _find(drawn.lesions, word)
            if said.get(index, decision) is not decision:
                raise CorrectionError(f"{drawn.lesions[index].name} is accepted and rejected")
            said[index] = decision
    rest = Decision.ACCEPTED if "all" in accepted else Decision.NOT_REVIEWED
    lesions = (
        replace(lesion, decision=said.get(i, rest)) for i, lesion in enumerate(drawn.lesions)
    )
    return replace(drawn, lesions=tuple(lesions))


def _find(lesions: tuple[DrawnLesion, ...], word: str) -> int:
    for index, lesion in enumerate(lesions):
        if word in (lesion.tracking_uid, lesion.name) or f"Lesion {word}" == lesion.name:
            return index
    if word.isdigit() and 1 <= int(word) <= len(lesions):
        return int(word) - 1
    known = ", ".join(lesion.name for lesion in lesions) or "none"
    raise CorrectionError(f"The segmentation holds no lesion {word!r}; it holds: {known}")


def bounded(mask: NDArray[np.bool_]) -> tuple[Box, NDArray[np.bool_]] | None:
    """The smallest box around a mask and the mask in it; None for an empty one."""
    spans = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        hit = np.flatnonzero(mask.any(axis=others))
        if not len(hit):
            return None
        spans.append(slice(int(hit[0]), int(hit[-1]) + 1))
    box = (spans[0], spans[1], spans[2])
    return box, mask[box].copy()
