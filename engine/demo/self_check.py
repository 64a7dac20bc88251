"""Compare an analysis of the demo study with what is truly in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.demo.truth import Truth
from engine.errors import InvalidGeometryError
from engine.values.geometry import VolumeGeometry

LEAST_LIVER_DICE = 0.90
LEAST_DIAMETER_MM = 15.0
MOST_FALSE_LESIONS = 1
LEAST_LESION_DICE = 0.20
LEAST_SHARE_INSIDE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionCheck:
    """What became of one true lesion.

    Attributes:
        number: In the truth.
        diameter_mm, volume_ml: Of the true lesion (sphere of equal volume).
        found_as: Number of the analysis' lesion that matches it; None when missed.
        dice: With that lesion; 0 when missed.
        found_volume_ml: Of that lesion; 0 when missed.
    """

    number: int
    diameter_mm: float
    volume_ml: float
    found_as: int | None
    dice: float
    found_volume_ml: float

    @property
    def must_be_found(self) -> bool:
        """True from LEAST_DIAMETER_MM on."""
        return self.diameter_mm >= LEAST_DIAMETER_MM


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """Outcome of the comparison.

    Matching rule: pairs of a true and an analyzed lesion are taken one-to-one, highest
    Dice first, down to LEAST_LESION_DICE. An analyzed lesion left over is a fragment when
    at least LEAST_SHARE_INSIDE of it lies inside true tumor, and false otherwise.

    Attributes:
        liver_dice: Of the liver as an organ.
        lesions: Every true lesion.
        false_lesions, fragments: Numbers of analyzed lesions without a match.
    """

    liver_dice: float
    lesions: tuple[LesionCheck, ...]
    false_lesions: tuple[int, ...]
    fragments: tuple[int, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """Why the check fails, one sentence each; empty when it passes."""
        reasons = []
        if not self.liver_dice >= LEAST_LIVER_DICE:
            reasons.append(f"liver Dice {self.liver_dice:.3f}, at least {LEAST_LIVER_DICE:.2f}")
        reasons += [
            f"true lesion {lesion.number} of {lesion.diameter_mm:.0f} mm missed"
            for lesion in self.lesions
            if lesion.must_be_found and lesion.found_as is None
        ]
        if len(self.false_lesions) > MOST_FALSE_LESIONS:
            reasons.append(f"{len(self.false_lesions)} false lesions, at most {MOST_FALSE_LESIONS}")
        return tuple(reasons)

    @property
    def passed(self) -> bool:
        """Whether liver, lesions and false lesions all keep the rule."""
        return not self.failures

    def table(self) -> str:
        """The comparison as aligned text, the verdict last."""
        lines = [
            f"Liver Dice          {self.liver_dice:.3f}  (at least {LEAST_LIVER_DICE:.2f})",
            f"False lesions       {len(self.false_lesions)}      (at most {MOST_FALSE_LESIONS})",
            "True lesion  diameter    volume  found as    volume   Dice",
        ]
        for lesion in self.lesions:
            size = f"{lesion.number:>11}  {lesion.diameter_mm:5.1f} mm {lesion.volume_ml:6.2f} mL"
            if lesion.found_as is None:
                word = "MISSED" if lesion.must_be_found else "missed (below 15 mm)"
                lines.append(f"{size}  {word:>8}")
            else:
                found = f"{lesion.found_as:>8} {lesion.found_volume_ml:6.2f} mL  {lesion.dice:.3f}"
                lines.append(f"{size}  {found}")
        verdict = "PASSED" if self.passed else "FAILED: " + "; ".join(self.failures)
        return "\n".join([*lines, f"Self-check {verdict}"])


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Dice coefficient of two masks; 0 when both are empty."""
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 2 * np.count_nonzero(first & second) / total if total else 0.0


def check_analysis(
    truth: Truth,
    liver: NDArray[np.bool_],
    lesion_labels: NDArray[np.uint8],
    geometry: VolumeGeometry,
) -> SelfCheck:
    """Compare masks of an analysis with the phantom's.

    Args:
        truth: From ``write_demo_study`` or ``load_truth``.
        liver: The liver as an organ, tumors included, on ``geometry``.
        lesion_labels: 0 or the number of the analyzed lesion, on ``geometry``.
        geometry: Any grid in the truth's frame of reference; the truth is sampled at
            the nearest voxel.

    Raises:
        InvalidGeometryError: Masks do not fit the grid, or it lies in another frame.
    """
    if liver.shape != geometry.shape or lesion_labels.shape != geometry.shape:
        raise InvalidGeometryError(
            f"Self-check: masks {liver.shape}, {lesion_labels.shape} on grid {geometry.shape}"
        )
    true_liver, true_lesions = _sample(truth, geometry)
    overlaps = _overlaps(true_lesions, lesion_labels)
    matches = _match(overlaps)
    found_voxels = overlaps.sum(axis=0)
    voxel_ml = geometry.spacing.voxel_ml
    lesions = []
    for lesion in truth.lesions:
        found_as, lesion_dice = matches.get(lesion.number, (None, 0.0))
        lesions.append(
            LesionCheck(
                number=lesion.number,
                diameter_mm=lesion.diameter_mm,
                volume_ml=lesion.volume_ml,
                found_as=found_as,
                dice=lesion_dice,
                found_volume_ml=float(found_voxels[found_as] * voxel_ml) if found_as else 0.0,
            )
        )
    matched = {found_as for found_as, _ in matches.values()}
    left = [n for n in range(1, len(found_voxels)) if found_voxels[n] and n not in matched]
    share_inside = {n: overlaps[1:, n].sum() / found_voxels[n] for n in left}
    return SelfCheck(
        liver_dice=dice(true_liver, liver),
        lesions=tuple(lesions),
        false_lesions=tuple(n for n in left if share_inside[n] < LEAST_SHARE_INSIDE),
        fragments=tuple(n for n in left if share_inside[n] >= LEAST_SHARE_INSIDE),
    )


def _sample(truth: Truth, geometry: VolumeGeometry) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """The truth at the voxels of another grid; background outside its own."""
    frames = {truth.geometry.frame_of_reference_uid, geometry.frame_of_reference_uid} - {""}
    if len(frames) > 1:
        raise InvalidGeometryError("Self-check: the analysis lies in another frame of reference")
    if truth.geometry.is_close(geometry):
        return truth.liver, truth.lesion_labels
    rows, columns = np.indices(geometry.shape[1:], dtype=np.float64)
    plane = np.stack([np.zeros_like(rows), rows, columns], axis=-1)
    liver = np.zeros(geometry.shape, bool)
    lesion_labels = np.zeros(geometry.shape, np.uint8)
    for index in range(geometry.shape[0]):
        plane[..., 0] = index
        at = np.rint(truth.geometry.to_index(geometry.to_patient(plane))).astype(np.int64)
        inside = ((at >= 0) & (at < truth.geometry.shape)).all(axis=-1)
        z, y, x = at[inside].T
        liver[index][inside] = truth.liver[z, y, x]
        lesion_labels[index][inside] = truth.lesion_labels[z, y, x]
    return liver, lesion_labels


def _overlaps(
    true_lesions: NDArray[np.uint8], lesion_labels: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Voxels per pair of labels, shape (1 + true, 1 + analyzed); 0 is background."""
    columns = int(lesion_labels.max(initial=0)) + 1
    rows = int(true_lesions.max(initial=0)) + 1
    either = np.flatnonzero((true_lesions > 0) | (lesion_labels > 0))
    pairs = true_lesions.flat[either].astype(np.int64) * columns + lesion_labels.flat[either]
    return np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)


def _match(overlaps: NDArray[np.int64]) -> dict[int, tuple[int, float]]:
    """True number → (analyzed number, Dice), one-to-one, highest Dice first."""
    sizes = overlaps.sum(axis=1)[:, None] + overlaps.sum(axis=0)[None, :]
    scores = 2 * overlaps / np.maximum(sizes, 1)
    scores[0], scores[:, 0] = 0, 0
    matches: dict[int, tuple[int, float]] = {}
    while scores.max(initial=0) >= LEAST_LESION_DICE:
        true, analyzed = (int(i) for i in np.unravel_index(scores.argmax(), scores.shape))
        matches[true] = (analyzed, float(scores[true, analyzed]))
        scores[true], scores[:, analyzed] = 0, 0
    return matches
