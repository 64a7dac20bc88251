"""Split a study into groups of slices that can be one volume, and say why others cannot.

A group is one series with one orientation, matrix, pixel spacing and frame of reference, and
one slice at each place. When a series scans a place several times (phases in one series), it
is split by the first attribute that leaves every place once.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from engine.errors import InputError, SeriesRefusal
from engine.series.attributes import decoded_text, integer
from engine.series.headers import Instance
from engine.series.image_kind import ImageKind, judge_image, kernel_of
from engine.series.input import SeriesInstances, StudyScan
from engine.series.planes import Plane, read_planes
from engine.values.identity import SeriesIdentity, StudyIdentity

SAME_PLACE_MM = 0.01
DIRECTION_TOLERANCE = 1e-3
SPACING_TOLERANCE = 1e-3
"""Relative difference of pixel spacings that count as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesGroup:
    """Slices that should form one volume, sorted along their normal.

    Attributes:
        study, series: Where they come from.
        planes: Ascending along column × row direction.
        part: What tells this group from others of its series; "" for a whole series.
        is_original: Acquired slices, not reformatted from others (Image Type value 1).
        is_reformatted: Image Type calls them a multiplanar reformation.
        kernel: Convolution Kernel.
        notes: What was left out of the series.
    """

    study: StudyIdentity
    series: SeriesIdentity
    planes: tuple[Plane, ...] = field(repr=False)
    part: str = ""
    is_original: bool = True
    is_reformatted: bool = False
    kernel: str = ""
    notes: tuple[str, ...] = ()

    @property
    def heights_mm(self) -> tuple[float, ...]:
        """Distances along the common normal, ascending."""
        return tuple(heights_along_normal(self.planes))

    @property
    def slice_spacing_mm(self) -> float:
        """Median distance between neighboring places; 0 with fewer than two places."""
        gaps = np.diff(self.heights_mm)
        gaps = gaps[gaps > SAME_PLACE_MM]
        return float(np.median(gaps)) if len(gaps) else 0.0

    @property
    def coverage_mm(self) -> float:
        """Extent along the normal, outer slices counted whole."""
        heights = self.heights_mm
        return heights[-1] - heights[0] + self.slice_spacing_mm

    @property
    def slice_count(self) -> int:
        """Number of different places."""
        return 1 + int((np.diff(self.heights_mm) > SAME_PLACE_MM).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Groups that could be volumes, and the series that could not."""

    groups: tuple[SeriesGroup, ...]
    refusals: tuple[SeriesRefusal, ...]


def group_series(scan: StudyScan) -> Grouping:
    """Group every series of a study.

    A reformatted (MPR) group is refused when an original group of the same frame of
    reference exists: it holds the same tissue, interpolated.
    """
    groups: list[SeriesGroup] = []
    refusals = list(scan.refusals)
    for series in scan.series:
        try:
            groups += _group_one(series, scan.study)
        except InputError as error:
            refusals.append(
                SeriesRefusal(series_instance_uid=series.series_instance_uid, reason=str(error))
            )
    kept: list[SeriesGroup] = []
    for group in groups:
        if group.is_reformatted and any(_is_original_of(other, group) for other in groups):
            reason = "multiplanar reformation of a series that is in the study"
            refusals.append(
                SeriesRefusal(series_instance_uid=group.series.series_instance_uid, reason=reason)
            )
        else:
            kept.append(group)
    return Grouping(groups=tuple(kept), refusals=tuple(refusals))


def heights_along_normal(planes: tuple[Plane, ...]) -> list[float]:
    """Place of each slice along the first one's normal, in mm."""
    normal = planes[0].normal
    return [float(np.dot(normal, plane.position_mm)) for plane in planes]


def _is_original_of(other: SeriesGroup, group: SeriesGroup) -> bool:
    frames = (other.planes[0].frame_of_reference_uid, group.planes[0].frame_of_reference_uid)
    return not other.is_reformatted and other.slice_count > 1 and frames[0] == frames[1]


def _group_one(series: SeriesInstances, study: StudyIdentity) -> list[SeriesGroup]:
    usable, notes, kinds = _usable_instances(series)
    planes: list[Plane] = []
    for number, instance in enumerate(usable, start=1):
        try:
            planes += read_planes(instance)
        except InputError as error:
            raise type(error)(f"image {number} of {len(usable)}: {error}") from error
    header = usable[0].header
    whole = SeriesGroup(
        study=study,
        series=SeriesIdentity(
            series_instance_uid=series.series_instance_uid,
            series_number=integer(header, "SeriesNumber"),
            series_description=decoded_text(header, "SeriesDescription"),
            modality=usable[0].modality,
        ),
        planes=(),
        is_original=all(kind.is_original for kind in kinds),
        is_reformatted=any(kind.is_reformatted for kind in kinds),
        kernel=kernel_of(usable[0]),
        notes=notes,
    )
    groups: list[SeriesGroup] = []
    clusters = _cluster_geometry(planes)
    for index, cluster in enumerate(clusters, start=1):
        label = f"geometry {index} of {len(clusters)}" if len(clusters) > 1 else ""
        for part, members in _split_repeats(cluster):
            name = ", ".join(filter(None, (label, part)))
            groups.append(replace(whole, planes=tuple(members), part=name))
    return groups


def _usable_instances(
    series: SeriesInstances,
) -> tuple[list[Instance], tuple[str, ...], list[ImageKind]]:
    judged = [(instance, judge_image(instance)) for instance in series.instances]
    usable = [instance for instance, kind in judged if not kind.refusal]
    reasons = Counter(kind.refusal for _, kind in judged if kind.refusal)
    if not usable:
        raise InputError("; ".join(reasons))
    notes = tuple(f"{count} images left out: {reason}" for reason, count in reasons.items())
    return usable, notes, [kind for _, kind in judged if not kind.refusal]


def _cluster_geometry(planes: list[Plane]) -> list[list[Plane]]:
    clusters: list[list[Plane]] = []
    for plane in planes:
        home = next((c for c in clusters if _same_geometry(c[0], plane)), None)
        if home is None:
            clusters.append([plane])
        else:
            home.append(plane)
    ordered = []
    for cluster in clusters:
        heights = heights_along_normal(tuple(cluster))
        ordered.append([cluster[i] for i in np.argsort(heights, kind="stable")])
    return ordered


def _same_geometry(one: Plane, other: Plane) -> bool:
    cosines = (*one.column_direction, *one.row_direction)
    others = (*other.column_direction, *other.row_direction)
    return (
        (one.rows, one.columns) == (other.rows, other.columns)
        and one.frame_of_reference_uid == other.frame_of_reference_uid
        and abs(one.row_mm / other.row_mm - 1) < SPACING_TOLERANCE
        and abs(one.column_mm / other.column_mm - 1) < SPACING_TOLERANCE
        and max(abs(a - b) for a, b in zip(cosines, others, strict=True)) < DIRECTION_TOLERANCE
    )


def _split_repeats(planes: list[Plane]) -> list[tuple[str, list[Plane]]]:
    """Split slices that lie several times at one place; one part when nothing helps."""
    if not _has_repeats(planes):
        return [("", planes)]
    for index, (name, _) in enumerate(planes[0].time_keys):
        parts: dict[str, list[Plane]] = {}
        for plane in planes:
            parts.setdefault(plane.time_keys[index][1], []).append(plane)
        smallest = min(map(len, parts.values()))
        if len(parts) > 1 and smallest > 1 and not any(map(_has_repeats, parts.values())):
            return [(f"{name} {value or 'not stated'}", part) for value, part in parts.items()]
    return [("", planes)]


def _has_repeats(planes: list[Plane]) -> bool:
    return bool((np.diff(heights_along_normal(tuple(planes))) <= SAME_PLACE_MM).any())
