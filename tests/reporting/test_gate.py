"""The geometry gate opens for the truth and for nothing else."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset

from engine.errors import GeometryGateError
from engine.reporting.attributes import encode
from engine.reporting.gate import check_geometry, decode_segments
from engine.reporting.report_file import SegmentationType
from engine.reporting.seg import compose_seg
from engine.reporting.source_plane import find_planes
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import (
    SEGMENTS,
    cached_result,
    make_context,
    make_result,
    resampled,
)
from tests.phantoms.conformance import read_dataset
from tests.phantoms.report_patient import ORIENTATIONS


def compose(result: AnalysisResult, kind: SegmentationType = SegmentationType.BINARY) -> bytes:
    return compose_seg(result, SEGMENTS, find_planes(result.reference), kind).content


@pytest.mark.parametrize("kind", list(SegmentationType))
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_it_opens_for_every_orientation(orientation: str, kind: SegmentationType) -> None:
    result = cached_result(orientation)
    check_geometry(compose(result, kind), result.findings)


def test_it_opens_for_enhanced_and_resampled_sources(result: AnalysisResult) -> None:
    enhanced = make_result(enhanced=True)
    check_geometry(compose(enhanced), enhanced.findings)
    moved = replace(result, reference=resampled(result.reference))
    check_geometry(compose(moved), moved.findings)


def test_it_opens_when_no_lesion_was_found() -> None:
    result = make_result(lesions=())
    check_geometry(compose(result), result.findings)


def test_frames_that_do_not_fill_whole_bytes_are_decoded() -> None:
    """5×5 grids of 125×155 voxels: every frame starts inside a byte."""
    result = cached_result()
    assert (result.findings.geometry.shape[1] * result.findings.geometry.shape[2]) % 8
    lesion = decode_segments(compose(result))[2]
    assert lesion.voxels == (result.findings.lesion_labels == 1).sum()


def _shift(seg: Dataset) -> None:
    for frame in seg.PerFrameFunctionalGroupsSequence:
        position = frame.PlanePositionSequence[0]
        x, y, z = position.ImagePositionPatient
        position.ImagePositionPatient = [float(x) + 0.2, y, z]


def _turn(seg: Dataset) -> None:
    plane = seg.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    plane.ImageOrientationPatient = [-1, 0, 0, 0, 1, 0]


def _stretch(seg: Dataset) -> None:
    seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [2.0, 2.02]


def _swap_planes(seg: Dataset) -> None:
    frames = seg.PerFrameFunctionalGroupsSequence
    frames[3].PlanePositionSequence, frames[9].PlanePositionSequence = (
        frames[9].PlanePositionSequence,
        frames[3].PlanePositionSequence,
    )


def _relabel(seg: Dataset) -> None:
    frame = seg.PerFrameFunctionalGroupsSequence[-1]
    frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 2


def _flip_voxel(seg: Dataset) -> None:
    pixels = bytearray(seg.PixelData)
    pixels[len(pixels) // 2] ^= 0b00010000
    seg.PixelData = bytes(pixels)


def _mirror_stack(seg: Dataset) -> None:
    frames = seg.PerFrameFunctionalGroupsSequence
    for frame in frames:
        x, y, z = (float(v) for v in frame.PlanePositionSequence[0].ImagePositionPatient)
        frame.PlanePositionSequence[0].ImagePositionPatient = [x, y, -z]


@pytest.mark.parametrize(
    "spoil", [_shift, _turn, _stretch, _swap_planes, _relabel, _flip_voxel, _mirror_stack]
)
def test_it_closes_on_a_displaced_object(
    spoil: Callable[[Dataset], None], result: AnalysisResult
) -> None:
    seg = read_dataset(compose(result))
    spoil(seg)
    with pytest.raises(GeometryGateError, match="nothing was written"):
        check_geometry(encode(seg, make_context()), result.findings)


def test_it_closes_when_a_lesion_was_measured_elsewhere(result: AnalysisResult) -> None:
    first = result.findings.lesions[0]
    moved = replace(first, centroid_mm=tuple(np.add(first.centroid_mm, (0, 0, 0.3))))
    findings = replace(result.findings, lesions=(moved, *result.findings.lesions[1:]))
    with pytest.raises(GeometryGateError, match=r"Lesion 1 in the SEG lies 0\.300 mm"):
        check_geometry(compose(result), findings)


def test_it_closes_when_a_lesion_is_missing(result: AnalysisResult) -> None:
    findings = replace(result.findings, lesions=result.findings.lesions[:1])
    with pytest.raises(GeometryGateError, match=r"segments \[1, 2, 3\]"):
        check_geometry(compose(result), findings)
