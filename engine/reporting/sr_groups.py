"""Measurement groups of the report: liver and lesions (TID 1410, TID 1411).

Each finding has a volumetric group, which points at its segment and holds its numbers, and a
planar group with the same tracking identifiers, which points at an outline and at the ends
of its axes on an image. Viewers that cannot draw segments show the planar one, and merge the
numbers of both by their Tracking UID.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from engine.coding import dicom, ibsi, own, snomed, ucum
from engine.reporting.contours import find_outlines
from engine.reporting.identity import liver_tracking_uid
from engine.reporting.report_file import ReportFile
from engine.reporting.seg import LIVER_SEGMENT, LIVER_TRACKING_ID, segment_code
from engine.reporting.source_plane import SourcePlane
from engine.reporting.sr_content import (
    CONTAINS,
    HAS_CONCEPT_MOD,
    HAS_OBS_CONTEXT,
    INFERRED_FROM,
    make_code,
    make_container,
    make_image,
    make_num,
    make_polyline,
    make_text,
    make_uidref,
)
from engine.values.geometry import VolumeGeometry
from engine.values.identity import ImageReference
from engine.values.lesion import Diameter, Lesion
from engine.values.model import CodedSegment
from engine.values.result import AnalysisResult
from engine.values.segmentation import LIVER_LABEL, TUMOR_LABEL

LARGEST_3D_DIAMETER = "L0JK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What measurement groups refer to.

    Attributes:
        segments: Meaning of the model's labels.
        planes: Source plane of every slice of the volume.
        seg: The composed Segmentation.
    """

    segments: tuple[CodedSegment, ...]
    planes: tuple[SourcePlane, ...] = field(repr=False)
    seg: ReportFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What volumetric and planar groups of one finding share."""

    tracking_id: str
    tracking_uid: str
    kind: Code
    segment: int
    slice_index: int


def largest_liver_slice(result: AnalysisResult) -> int:
    """Slice on which the liver's area is largest."""
    return int(np.count_nonzero(result.findings.liver, axis=(1, 2)).argmax())


def list_findings(result: AnalysisResult, segments: tuple[CodedSegment, ...]) -> list[Finding]:
    """The liver, then the lesions."""
    findings = [
        Finding(
            tracking_id=LIVER_TRACKING_ID,
            tracking_uid=liver_tracking_uid(result),
            kind=segment_code(segments, LIVER_LABEL),
            segment=LIVER_SEGMENT,
            slice_index=largest_liver_slice(result),
        )
    ]
    for lesion in result.findings.lesions:
        findings.append(
            Finding(
                tracking_id=lesion.tracking_id,
                tracking_uid=lesion.tracking_uid,
                kind=segment_code(segments, TUMOR_LABEL),
                segment=lesion.number + 1,
                slice_index=result.findings.key_slice_index(lesion),
            )
        )
    return findings


def _tracking(finding: Finding) -> list[Dataset]:
    return [
        make_text(dicom.TRACKING_IDENTIFIER, finding.tracking_id, HAS_OBS_CONTEXT),
        make_uidref(dicom.TRACKING_UID, finding.tracking_uid, HAS_OBS_CONTEXT),
        make_code(dicom.FINDING, finding.kind),
    ]


def _site_and_algorithm(result: AnalysisResult) -> list[Dataset]:
    return [
        make_code(snomed.FINDING_SITE, snomed.LIVER, HAS_CONCEPT_MOD),
        make_text(dicom.ALGORITHM_NAME, result.model.name, HAS_CONCEPT_MOD),
        make_text(dicom.ALGORITHM_VERSION, result.model.version, HAS_CONCEPT_MOD),
    ]


def _volume(volume_ml: float) -> Dataset:
    return make_num(snomed.VOLUME, volume_ml, ucum.CUBIC_CENTIMETER)


def _mean_hu(mean_hu: float) -> Dataset:
    derivation = make_code(dicom.DERIVATION, snomed.MEAN, HAS_CONCEPT_MOD)
    return make_num(
        dicom.ATTENUATION_COEFFICIENT, mean_hu, ucum.HOUNSFIELD_UNIT, CONTAINS, [derivation]
    )


def _lesion_numbers(lesion: Lesion) -> list[Dataset]:
    """Everything measured on a lesion, for its volumetric group."""
    largest = ibsi.find_feature(LARGEST_3D_DIAMETER)
    numbers = [
        _volume(lesion.volume_ml),
        make_num(snomed.LONG_AXIS, lesion.long_axis.length_mm, ucum.MILLIMETER),
        make_num(snomed.SHORT_AXIS, lesion.short_axis.length_mm, ucum.MILLIMETER),
        _mean_hu(lesion.mean_hu),
        make_num(own.CAPSULE_DISTANCE, lesion.capsule_distance_mm, ucum.MILLIMETER),
    ]
    if lesion.confidence is not None:
        certainty = lesion.confidence * 100
        numbers.append(make_num(dicom.CERTAINTY_OF_FINDING, certainty, ucum.PERCENT))
    if largest is not None:
        length = lesion.maximum_3d_diameter.length_mm
        numbers.insert(3, make_num(largest, length, ucum.MILLIMETER))
    return numbers


def volumetric_group(result: AnalysisResult, finding: Finding, evidence: Evidence) -> Dataset:
    """One finding with its segment and its numbers (TID 1411)."""
    return segment_group(result, finding, evidence, numbers=_numbers(result, finding))


def _numbers(result: AnalysisResult, finding: Finding) -> list[Dataset]:
    if finding.segment == LIVER_SEGMENT:
        return [_volume(result.findings.burden.liver_volume_ml)]
    return _lesion_numbers(result.findings.lesions[finding.segment - 2])


def segment_group(
    result: AnalysisResult, finding: Finding, evidence: Evidence, *, numbers: list[Dataset]
) -> Dataset:
    """A group of numbers about the segment of a finding (TID 1411)."""
    segmentation = ImageReference(
        sop_class_uid=evidence.seg.sop_class_uid, sop_instance_uid=evidence.seg.sop_instance_uid
    )
    children = [
        *_tracking(finding),
        make_image(segmentation, name=dicom.REFERENCED_SEGMENT, segment=finding.segment),
        make_uidref(
            dicom.SOURCE_SERIES_FOR_SEGMENTATION, result.reference.series.series_instance_uid
        ),
        *_site_and_algorithm(result),
        *numbers,
    ]
    return make_container(dicom.MEASUREMENT_GROUP, children, template="1411")


def _outline(
    result: AnalysisResult, finding: Finding
) -> tuple[NDArray[np.float64], VolumeGeometry]:
    """Longest outline of a finding on its slice, in patient coordinates."""
    masks, grid = result.findings, result.findings.geometry
    if finding.segment == LIVER_SEGMENT:
        mask = masks.liver[finding.slice_index]
    else:
        mask = masks.lesion_labels[finding.slice_index] == finding.segment - 1
    line = find_outlines(mask)[0]
    index = np.concatenate([np.full((len(line), 1), finding.slice_index), line], axis=1)
    return grid.to_patient(index), grid


def _axis(name: Code, diameter: Diameter, plane: SourcePlane) -> Dataset:
    """A diameter, with its end points on the cited image when it lies on it."""
    if diameter.slice_index is None:
        return make_num(name, diameter.length_mm, ucum.MILLIMETER, CONTAINS)
    ends = plane.project(np.array(diameter.ends_mm))
    line = make_polyline(dicom.SOURCE_OF_MEASUREMENT, ends, plane.reference, INFERRED_FROM)
    return make_num(name, diameter.length_mm, ucum.MILLIMETER, CONTAINS, [line])


def planar_group(result: AnalysisResult, finding: Finding, evidence: Evidence) -> Dataset | None:
    """One finding with its outline on a source image (TID 1410).

    Returns:
        None when no source image lies within one slice of the outline, which happens when
        the volume was turned away from its source images.
    """
    plane = evidence.planes[finding.slice_index]
    points, grid = _outline(result, finding)
    if plane.distance_mm(points) > grid.spacing.slice_mm:
        return None
    region = make_polyline(dicom.IMAGE_REGION, plane.project(points), plane.reference, closed=True)
    numbers = []
    if finding.segment != LIVER_SEGMENT:
        lesion = result.findings.lesions[finding.segment - 2]
        numbers = [
            _axis(snomed.LONG_AXIS, lesion.long_axis, plane),
            _axis(snomed.SHORT_AXIS, lesion.short_axis, plane),
        ]
    children = [*_tracking(finding), region, *_site_and_algorithm(result), *numbers]
    return make_container(dicom.MEASUREMENT_GROUP, children, template="1410")
