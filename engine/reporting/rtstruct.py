"""RT Structure Set of liver and lesions (PS3.3 A.19), for destinations that plan with it.

Each slice's region is outlined along its pixel edges (polygons.py), so the contours hold the
mask's volume exactly, up to the rounding of coordinates; holes are keyholes. The object is
written in Implicit VR, where a contour may be longer than 64 KiB (PS3.5 7.1.2). Before it is
handed over its own bytes are read again and their volumes compared with the masks.
"""

import io

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage

from engine.coding import snomed
from engine.errors import GeometryGateError
from engine.reporting.attributes import encode, make_object
from engine.reporting.identity import RTSTRUCT_SERIES, code_item, liver_tracking_uid
from engine.reporting.palette import LIVER_RGB, lesion_color
from engine.reporting.polygons import find_polygons, signed_area
from engine.reporting.report_file import ReportFile, ReportKind
from engine.reporting.seg import segment_origin
from engine.reporting.source_plane import SourcePlane
from engine.values.identity import ImageReference
from engine.values.result import AnalysisResult

STUDY_MANAGEMENT_CLASS = "1.2.840.10008.3.1.2.3.1"
LIVER_ROI = 1
DECIMALS = 4
# Half of the last decimal along an outline of a thousand points is far below this.
VOLUME_TOLERANCE = 1e-4
SMALLEST_VOLUME_ML = 1e-3
PLANE_TOLERANCE_MM = 0.05


def compose_rtstruct(result: AnalysisResult, planes: tuple[SourcePlane, ...]) -> ReportFile:
    """The structure set of a result: ROI 1 is the liver, ROI n + 1 lesion n.

    Args:
        result: The analysis result.
        planes: Source plane of every slice of its volume.

    Raises:
        GeometryGateError: The contours do not hold what the engine measured.
    """
    volume = result.reference
    target = make_object(
        RTSTRUCT_SERIES, RTStructureSetStorage, volume.headers[0], result.context, result.model
    )
    target.OperatorsName = ""
    target.StructureSetLabel = "HepatoCast"
    target.StructureSetDescription = "Research use only. Contours run along pixel edges."
    target.StructureSetDate, target.StructureSetTime = target.ContentDate, target.ContentTime
    del target.ContentDate, target.ContentTime  # of no module of this object
    target.FrameOfReferenceUID = volume.geometry.frame_of_reference_uid
    target.PositionReferenceIndicator = ""
    target.ApprovalStatus = "UNAPPROVED"
    target.ReferencedFrameOfReferenceSequence = [_frame_of_reference(result)]
    regions = _regions(result)
    target.StructureSetROISequence = [_roi(result, number) for number in regions]
    target.ROIContourSequence = [
        _contours(result, number, mask, planes) for number, mask in regions.items()
    ]
    target.RTROIObservationsSequence = [_observation(number) for number in regions]
    file = ReportFile(
        name="rtstruct.dcm",
        kind=ReportKind.RTSTRUCT,
        content=encode(target, result.context, ImplicitVRLittleEndian),
        sop_class_uid=str(target.SOPClassUID),
        sop_instance_uid=str(target.SOPInstanceUID),
        series_instance_uid=str(target.SeriesInstanceUID),
    )
    _check_volumes(file.content, result, regions)
    return file


def _regions(result: AnalysisResult) -> dict[int, NDArray[np.bool_]]:
    findings = result.findings
    lesions = {
        lesion.number + 1: np.asarray(findings.lesion_labels == lesion.number)
        for lesion in findings.lesions
    }
    return {LIVER_ROI: findings.liver, **lesions}


def _reference(image: ImageReference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = image.sop_class_uid
    item.ReferencedSOPInstanceUID = image.sop_instance_uid
    if image.frame_number is not None:
        item.ReferencedFrameNumber = image.frame_number
    return item


def _frame_of_reference(result: AnalysisResult) -> Dataset:
    """The frame of reference with every image of the segmented series (PS3.3 C.8.8.5)."""
    volume = result.reference
    series = Dataset()
    series.SeriesInstanceUID = volume.series.series_instance_uid
    series.ContourImageSequence = [
        _reference(
            ImageReference(
                sop_class_uid=str(header.SOPClassUID), sop_instance_uid=str(header.SOPInstanceUID)
            )
        )
        for header in volume.headers
    ]
    study = Dataset()
    study.ReferencedSOPClassUID = STUDY_MANAGEMENT_CLASS
    study.ReferencedSOPInstanceUID = volume.study.study_instance_uid
    study.RTReferencedSeriesSequence = [series]
    item = Dataset()
    item.FrameOfReferenceUID = volume.geometry.frame_of_reference_uid
    item.RTReferencedStudySequence = [study]
    return item


def _roi(result: AnalysisResult, number: int) -> Dataset:
    findings = result.findings
    if number == LIVER_ROI:
        name, uid = "Liver", liver_tracking_uid(result)
        volume_ml = findings.burden.liver_volume_ml
    else:
        lesion = findings.lesions[number - 2]
        name, uid, volume_ml = lesion.tracking_id, lesion.tracking_uid, lesion.volume_ml
    item = Dataset()
    item.ROINumber = number
    item.ReferencedFrameOfReferenceUID = result.reference.geometry.frame_of_reference_uid
    item.ROIName = name
    item.ROIVolume = f"{volume_ml:.6g}"
    item.ROIGenerationAlgorithm = segment_origin(result, uid).value
    item.ROIGenerationDescription = f"{result.model.name} {result.model.version}"[:64]
    return item


def _observation(number: int) -> Dataset:
    """What a ROI is; no interpreted type for lesions, because none is a planning target."""
    is_liver = number == LIVER_ROI
    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = number
    item.RTROIInterpretedType = "ORGAN" if is_liver else ""
    item.ROIInterpreter = ""
    item.RTROIIdentificationCodeSequence = [
        code_item(snomed.LIVER if is_liver else snomed.NEOPLASM)
    ]
    return item


def _contours(
    result: AnalysisResult, number: int, mask: NDArray[np.bool_], planes: tuple[SourcePlane, ...]
) -> Dataset:
    item = Dataset()
    item.ROIDisplayColor = list(LIVER_RGB if number == LIVER_ROI else lesion_color(number - 1))
    item.ReferencedROINumber = number
    item.ContourSequence = []
    grid = result.findings.geometry
    for slice_index in np.flatnonzero(mask.any(axis=(1, 2))).tolist():
        for polygon in find_polygons(mask[slice_index]):
            index = np.insert(polygon, 0, slice_index, axis=1)
            contour = _contour(grid.to_patient(index), planes[slice_index])
            contour.ContourNumber = len(item.ContourSequence) + 1
            item.ContourSequence.append(contour)
    return item


def _contour(points_mm: NDArray[np.float64], plane: SourcePlane) -> Dataset:
    """One closed line; it names its image only when it lies in that image's plane."""
    item = Dataset()
    if plane.distance_mm(points_mm) <= PLANE_TOLERANCE_MM:
        item.ContourImageSequence = [_reference(plane.reference)]
    item.ContourGeometricType = "CLOSED_PLANAR"
    item.NumberOfContourPoints = len(points_mm)
    item.ContourData = [_decimal(value) for value in points_mm.ravel().tolist()]
    return item


def _decimal(value: float) -> str:
    """A coordinate as DS, at most 16 characters (PS3.5 6.2), without a negative zero."""
    return f"{round(value, DECIMALS) + 0.0:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _check_volumes(
    content: bytes, result: AnalysisResult, regions: dict[int, NDArray[np.bool_]]
) -> None:
    """Compare the volume within the written contours with the masks (DESIGN decision 9)."""
    grid = result.findings.geometry
    read = pydicom.dcmread(io.BytesIO(content))
    for roi in read.ROIContourSequence:
        area_mm2 = 0.0
        for contour in roi.ContourSequence:
            points = np.array(contour.ContourData, np.float64).reshape(-1, 3)
            index = grid.to_index(points)
            if np.ptp(index[:, 0]) * grid.spacing.slice_mm > PLANE_TOLERANCE_MM:
                raise GeometryGateError("A contour of the RTSTRUCT leaves its slice")
            area_mm2 += signed_area(index[:, 1:]) * grid.spacing.row_mm * grid.spacing.column_mm
        volume_ml = area_mm2 * grid.spacing.slice_mm / 1000.0
        mask = regions[int(roi.ReferencedROINumber)]
        wanted = np.count_nonzero(mask) * grid.spacing.voxel_ml
        if abs(volume_ml - wanted) > max(VOLUME_TOLERANCE * wanted, SMALLEST_VOLUME_ML):
            raise GeometryGateError(
                f"ROI {roi.ReferencedROINumber} of the RTSTRUCT holds {volume_ml:.4f} ml, "
                f"its mask {wanted:.4f} ml"
            )
