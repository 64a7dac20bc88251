"""The structure set: legal, in the image's planes, and exactly as large as the masks."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from engine.errors import GeometryGateError
from engine.reporting import rtstruct
from engine.reporting.composition import compose_reports
from engine.reporting.report_file import ReportFile, ReportOptions
from engine.reporting.rtstruct import compose_rtstruct
from engine.reporting.source_plane import find_planes
from engine.values.result import AnalysisResult
from tests.phantoms.analysis_result import SEGMENTS, cached_result, make_result, resampled
from tests.phantoms.conformance import Writer, code_problems, dciodvfy_errors, iod_problems
from tests.phantoms.report_patient import ORIENTATIONS
from tests.reporting.test_polygons import fill

STATED_DEVIATION = 1e-4  # of the volume; polygons along pixel edges, coordinates to 0.0001 mm


def compose(result: AnalysisResult) -> ReportFile:
    return compose_rtstruct(result, find_planes(result.reference))


def read(file: ReportFile) -> Dataset:
    return pydicom.dcmread(io.BytesIO(file.content))


def contours_of(dataset: Dataset, number: int) -> list[Dataset]:
    (roi,) = [r for r in dataset.ROIContourSequence if r.ReferencedROINumber == number]
    return list(roi.ContourSequence)


def points_of(contour: Dataset) -> NDArray[np.float64]:
    return np.array(contour.ContourData, np.float64).reshape(-1, 3)


def area_mm2(points: NDArray[np.float64]) -> float:
    """Area of a planar polygon in space: half the length of the sum of cross products."""
    shifted = points - points[0]
    crosses = np.cross(shifted, np.roll(shifted, -1, 0)).sum(0)
    return float(np.linalg.norm(crosses) / 2.0)


@pytest.mark.peer
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_dciodvfy_finds_no_error_in_any_orientation(orientation: str, write: Writer) -> None:
    assert dciodvfy_errors(write(compose(cached_result(orientation)))) == []


@pytest.mark.peer
@pytest.mark.parametrize("variant", ["enhanced", "resampled", "without lesion"])
def test_dciodvfy_finds_no_error_in_other_sources(
    variant: str, result: AnalysisResult, write: Writer
) -> None:
    if variant == "enhanced":
        result = make_result(enhanced=True)
    elif variant == "resampled":
        result = replace(result, reference=resampled(result.reference))
    else:
        result = make_result(lesions=())
    assert dciodvfy_errors(write(compose(result))) == []


def test_codes_and_attributes_are_the_standards(result: AnalysisResult) -> None:
    dataset = read(compose(result))
    assert code_problems(dataset) == []
    assert iod_problems(dataset) == []


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_contours_hold_the_volume_of_the_masks(orientation: str) -> None:
    """Measured in space from the numbers in the file, without the code that wrote them."""
    result = cached_result(orientation)
    dataset, spacing = read(compose(result)), result.reference.geometry.spacing
    masks = {1: result.findings.liver}
    masks |= {
        n.number + 1: result.findings.lesion_labels == n.number for n in result.findings.lesions
    }
    for number, mask in masks.items():
        areas = sum(area_mm2(points_of(c)) for c in contours_of(dataset, number))
        wanted = np.count_nonzero(mask) * spacing.row_mm * spacing.column_mm
        assert areas == pytest.approx(wanted, rel=STATED_DEVIATION)


@pytest.mark.parametrize("orientation", ["axial", "coronal"])
def test_a_receiver_that_fills_the_contours_gets_the_mask_back(orientation: str) -> None:
    """Every contour names its image; its pixels are those of the mask on that image."""
    result = cached_result(orientation)
    dataset, findings = read(compose(result)), result.findings
    headers = {h.SOPInstanceUID: h for h in result.reference.headers}
    slices = {h.SOPInstanceUID: n for n, h in enumerate(result.reference.headers)}
    filled = np.zeros_like(findings.liver)
    for contour in contours_of(dataset, 2):
        uid = contour.ContourImageSequence[0].ReferencedSOPInstanceUID
        header = headers[uid]
        along = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
        offset = points_of(contour) - np.array(header.ImagePositionPatient, float)
        assert abs(offset @ np.cross(*along)).max() < 0.01
        row, column = offset @ along[1], offset @ along[0]
        polygon = np.stack(
            [row / float(header.PixelSpacing[0]), column / float(header.PixelSpacing[1])], -1
        )
        filled[slices[uid]] |= fill([polygon], filled.shape[1:])
    np.testing.assert_array_equal(filled, findings.lesion_labels == 1)


def test_a_hole_in_an_organ_stays_a_hole(result: AnalysisResult) -> None:
    """The keyhole technique: one closed contour, not two lines a planner would fill."""
    liver = result.findings.liver.copy()
    liver.flags.writeable = True
    index = int(np.count_nonzero(liver, axis=(1, 2)).argmax())
    rows, columns = np.nonzero(liver[index])
    center = (int(rows.mean()), int(columns.mean()))
    liver[index, center[0], center[1]] = False
    changed = replace(result, findings=replace(result.findings, liver=liver))
    dataset = read(compose(changed))
    before, after = (
        sum(area_mm2(points_of(c)) for c in contours_of(d, 1))
        for d in (read(compose(result)), dataset)
    )
    spacing = result.reference.geometry.spacing
    assert before - after == pytest.approx(spacing.row_mm * spacing.column_mm, abs=0.01)
    assert {c.ContourGeometricType for c in contours_of(dataset, 1)} == {"CLOSED_PLANAR"}


def test_it_lies_in_the_frame_of_reference_of_every_source_image(result: AnalysisResult) -> None:
    dataset, volume = read(compose(result)), result.reference
    (frame,) = dataset.ReferencedFrameOfReferenceSequence
    assert frame.FrameOfReferenceUID == volume.geometry.frame_of_reference_uid
    (study,) = frame.RTReferencedStudySequence
    (series,) = study.RTReferencedSeriesSequence
    listed = {i.ReferencedSOPInstanceUID for i in series.ContourImageSequence}
    assert listed == {h.SOPInstanceUID for h in volume.headers}
    assert {r.ReferencedFrameOfReferenceUID for r in dataset.StructureSetROISequence} == {
        volume.geometry.frame_of_reference_uid
    }
    names = [r.ROIName for r in dataset.StructureSetROISequence]
    assert names == ["Liver", *(n.tracking_id for n in result.findings.lesions)]


def test_contours_off_the_source_planes_name_no_image(result: AnalysisResult) -> None:
    """A viewer would otherwise draw them on a slice they do not lie on."""
    volume = result.reference
    x, y, z = volume.geometry.origin_mm
    moved = replace(volume.geometry, origin_mm=(x, y, z + 1.0))
    result = replace(
        result,
        reference=replace(volume, geometry=moved, voxels_hu=volume.voxels_hu.copy()),
        findings=replace(result.findings, geometry=moved),
    )
    contours = contours_of(read(compose(result)), 1)
    assert contours
    assert not any("ContourImageSequence" in c for c in contours)


def test_a_frame_of_a_multi_frame_image_is_named() -> None:
    contour = contours_of(read(compose(make_result(enhanced=True))), 2)[0]
    assert contour.ContourImageSequence[0].ReferencedFrameNumber >= 1


def test_wrong_contours_are_never_handed_over(
    result: AnalysisResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate reads the written numbers: a lost polygon stops everything."""
    whole = rtstruct.find_polygons

    def lose_one(mask: NDArray[np.bool_]) -> list[Any]:
        return [p * 0.99 for p in whole(mask)]

    monkeypatch.setattr(rtstruct, "find_polygons", lose_one)
    with pytest.raises(GeometryGateError, match="ROI 1 of the RTSTRUCT holds"):
        compose(result)


def test_it_is_written_only_when_asked_for(result: AnalysisResult) -> None:
    kinds = [f.kind for f in compose_reports(result, SEGMENTS)]
    assert "RTSTRUCT" not in kinds
    asked = compose_reports(result, SEGMENTS, ReportOptions(rtstruct=True))
    assert [f.kind for f in asked].count("RTSTRUCT") == 1


def test_the_same_result_gives_the_same_bytes(result: AnalysisResult) -> None:
    assert compose(result).content == compose(result).content
