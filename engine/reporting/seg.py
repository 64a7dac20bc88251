"""DICOM Segmentation of liver and lesions (PS3.3 A.51), composed with highdicom.

BINARY is the default: its segments may overlap, so the liver is one whole organ and each
lesion lies on top of it. Frames lie on the volume's own grid; each names the source images
it was derived from, without which viewers show masks on wrong slices.
"""

from collections.abc import Sequence
from typing import Any

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from engine.coding import dicom, snomed
from engine.reporting.attributes import encode, fill_equipment, fill_moment, fill_patient_and_study
from engine.reporting.identity import (
    MANUFACTURER,
    MODEL_NAME,
    SEG_SERIES,
    code_item,
    device_serial_number,
    instance_uid,
    liver_tracking_uid,
    series_uid,
)
from engine.reporting.palette import LIVER_RGB, find_segment, lesion_color
from engine.reporting.report_file import ReportFile, ReportKind, SegmentationType
from engine.reporting.source_plane import SourcePlane
from engine.values.identity import ImageReference
from engine.values.lesion import LesionFindings
from engine.values.model import CodedSegment
from engine.values.provenance import AnalysisContext, ModelIdentity
from engine.values.result import AnalysisResult
from engine.values.revision import Origin
from engine.values.segmentation import LIVER_LABEL, TUMOR_LABEL
from engine.values.volume import Volume

LIVER_SEGMENT = 1
LIVER_TRACKING_ID = "Liver"


class OverlappingSegmentation(hd.seg.Segmentation):  # type: ignore[misc]
    """A BINARY segmentation whose first segment contains all the others.

    highdicom takes overlapping segments only as one dense array per segment: 80 MB each
    for 512×512×300. Here one label map serves all: segment 1 is every labeled voxel, segment
    n > 1 the voxels of value n. The geometry gate decodes the outcome independently.
    """

    @staticmethod
    def _get_segment_pixel_array(
        pixel_array: NDArray[np.uint8],
        segment_number: int,
        dtype: type,
        **_: Any,  # noqa: ANN401 - highdicom's further arguments are not needed here
    ) -> NDArray[Any]:
        if segment_number == LIVER_SEGMENT:
            return np.asarray(pixel_array > 0).astype(dtype)
        return np.asarray(pixel_array == segment_number).astype(dtype)


def label_segments(findings: LesionFindings) -> NDArray[Any]:
    """One label map: 0 outside, 1 liver, n + 1 lesion n; shape of the grid."""
    wide = len(findings.lesions) >= np.iinfo(np.uint8).max
    labels: NDArray[Any] = findings.lesion_labels.astype(np.uint16 if wide else np.uint8)
    np.add(labels, 1, out=labels, where=labels > 0)
    np.maximum(labels, findings.liver, out=labels)
    return labels


def _describe(
    number: int,
    label: str,
    coded: CodedSegment | None,
    tracking: tuple[str, str],
    origin: Origin,
    algorithm: Sequence[Dataset],
) -> hd.seg.SegmentDescription:
    is_liver = number == LIVER_SEGMENT
    category = snomed.ANATOMICAL_STRUCTURE if is_liver else snomed.MORPHOLOGICALLY_ABNORMAL
    kind = snomed.LIVER if is_liver else snomed.NEOPLASM
    if coded is not None:
        category = snomed.body_structure(coded.category_code, coded.category_meaning)
        kind = snomed.body_structure(coded.type_code, coded.type_meaning)
    return hd.seg.SegmentDescription(
        number,
        label,
        category,
        kind,
        hd.seg.SegmentAlgorithmTypeValues[origin.value],
        None if origin is Origin.MANUAL else algorithm,
        tracking_id=tracking[0],
        tracking_uid=tracking[1],
        anatomic_regions=None if is_liver else [snomed.LIVER],
        display_color=hd.color.CIELabColor.from_rgb(
            *(LIVER_RGB if is_liver else lesion_color(number - 1))
        ),
    )


def segment_origin(result: AnalysisResult, tracking_uid: str) -> Origin:
    """Who drew a segment; everything in an automatic result is the network's."""
    return Origin.AUTOMATIC if result.revision is None else result.revision.origin_of(tracking_uid)


def _descriptions(
    result: AnalysisResult, segments: tuple[CodedSegment, ...]
) -> list[hd.seg.SegmentDescription]:
    algorithm = hd.AlgorithmIdentificationSequence(
        name=result.model.name,
        version=result.model.version,
        family=dicom.ARTIFICIAL_INTELLIGENCE,
        source=MANUFACTURER,
        parameters={"sha256": result.model.sha256},
    )
    liver = find_segment(segments, LIVER_LABEL)
    tumor = find_segment(segments, TUMOR_LABEL)
    tracking = (LIVER_TRACKING_ID, liver_tracking_uid(result))
    origin = segment_origin(result, tracking[1])
    described = [_describe(LIVER_SEGMENT, "Liver", liver, tracking, origin, algorithm)]
    for lesion in result.findings.lesions:
        tracking = (lesion.tracking_id, lesion.tracking_uid)
        origin = segment_origin(result, lesion.tracking_uid)
        described.append(
            _describe(lesion.number + 1, lesion.tracking_id, tumor, tracking, origin, algorithm)
        )
    return described


def _stand_in(volume: Volume, context: AnalysisContext, plane: SourcePlane) -> Dataset:
    """One lean, legal source image from which highdicom takes patient, study and frame.

    Handing over all of them would make it search a match for every plane among all images;
    which image a frame rests on is known and written by ``_cite_sources``.
    """
    first = volume.headers[0]
    image = Dataset()
    fill_patient_and_study(image, first)
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID = plane.reference.sop_instance_uid
    image.SeriesInstanceUID = volume.series.series_instance_uid
    image.Modality = "CT"
    image.Rows, image.Columns = volume.geometry.shape[1:]
    image.FrameOfReferenceUID = (
        volume.geometry.frame_of_reference_uid
        or str(first.get("FrameOfReferenceUID") or "")
        or context.derive_uid("report", "frame-of-reference")
    )
    image.PositionReferenceIndicator = str(first.get("PositionReferenceIndicator") or "")
    image.LossyImageCompression = str(first.get("LossyImageCompression") or "00")
    image.ImagePositionPatient = [format_number_as_ds(v) for v in plane.position_mm]
    image.ImageOrientationPatient = [
        format_number_as_ds(v) for v in (*plane.along_row, *plane.along_column)
    ]
    image.PixelSpacing = [format_number_as_ds(v) for v in (plane.row_mm, plane.column_mm)]
    image.SliceThickness = format_number_as_ds(volume.geometry.spacing.slice_mm)
    return image


def _plane_arguments(volume: Volume, planes: tuple[SourcePlane, ...]) -> dict[str, object]:
    """Positions, orientation and spacing of the frames: the source's own where they apply."""
    grid = volume.geometry
    patient = hd.CoordinateSystemNames.PATIENT
    index = np.zeros((grid.shape[0], 3))
    index[:, 0] = np.arange(grid.shape[0])
    positions = grid.to_patient(index)
    orientation = (*grid.column_direction, *grid.row_direction)
    if volume.is_source_grid:
        positions = np.array([plane.position_mm for plane in planes])
        orientation = (*planes[0].along_row, *planes[0].along_column)
    spacing = grid.spacing
    return {
        "plane_positions": [hd.PlanePositionSequence(patient, tuple(p)) for p in positions],
        "plane_orientation": hd.PlaneOrientationSequence(patient, orientation),
        "pixel_measures": hd.PixelMeasuresSequence(
            pixel_spacing=(spacing.row_mm, spacing.column_mm),
            slice_thickness=spacing.slice_mm,
            spacing_between_slices=spacing.slice_mm,
        ),
    }


def _derivation(sources: tuple[ImageReference, ...], *, same_grid: bool) -> Dataset:
    """Derivation Image Sequence item of one frame (PS3.3 C.7.6.16.2.6)."""
    images = []
    for source in sources:
        image = Dataset()
        image.ReferencedSOPClassUID = source.sop_class_uid
        image.ReferencedSOPInstanceUID = source.sop_instance_uid
        if source.frame_number is not None:
            image.ReferencedFrameNumber = source.frame_number
        image.PurposeOfReferenceCodeSequence = [code_item(dicom.SOURCE_IMAGE_FOR_PROCESSING)]
        image.SpatialLocationsPreserved = "YES" if same_grid else "NO"
        images.append(image)
    item = Dataset()
    item.DerivationCodeSequence = [code_item(dicom.SEGMENTATION)]
    item.SourceImageSequence = images
    return item


def _cite_sources(seg: Dataset, volume: Volume, positions: Sequence[Sequence[Dataset]]) -> None:
    """Name every source instance, and give every frame those of the slice it lies on."""
    instances = []
    for header in volume.headers:
        instance = Dataset()
        instance.ReferencedSOPClassUID = str(header.SOPClassUID)
        instance.ReferencedSOPInstanceUID = str(header.SOPInstanceUID)
        instances.append(instance)
    series = Dataset()
    series.SeriesInstanceUID = volume.series.series_instance_uid
    series.ReferencedInstanceSequence = instances
    seg.ReferencedSeriesSequence = [series]
    seg.SourceImageSequence = instances
    slice_of = {
        tuple(position[0].ImagePositionPatient): index for index, position in enumerate(positions)
    }
    items = [
        _derivation(sources, same_grid=volume.is_source_grid) for sources in volume.slice_sources
    ]
    for frame in seg.PerFrameFunctionalGroupsSequence:
        at = tuple(frame.PlanePositionSequence[0].ImagePositionPatient)
        frame.DerivationImageSequence = [items[slice_of[at]]]


def _settle(seg: Dataset, context: AnalysisContext, model: ModelIdentity, header: Dataset) -> None:
    """Replace everything highdicom took from clock and chance by the job's own values."""
    organization = context.derive_uid("report", "seg", "dimension-organization")
    seg.DimensionOrganizationSequence[0].DimensionOrganizationUID = organization
    for dimension in seg.DimensionIndexSequence:
        dimension.DimensionOrganizationUID = organization
    fill_patient_and_study(seg, header)
    fill_moment(seg, context)
    fill_equipment(seg, context, model, header)


def compose_seg(
    result: AnalysisResult,
    segments: tuple[CodedSegment, ...],
    planes: tuple[SourcePlane, ...],
    segmentation_type: SegmentationType,
) -> ReportFile:
    """Compose the Segmentation object of a result.

    Args:
        result: Masks, model, volume, context.
        segments: What the model's labels mean, with codes.
        planes: Source plane of every slice of the volume.
        segmentation_type: BINARY or LABELMAP.
    """
    volume, context = result.reference, result.context
    binary = segmentation_type is SegmentationType.BINARY
    composer = OverlappingSegmentation if binary else hd.seg.Segmentation
    arguments = _plane_arguments(volume, planes)
    seg = composer(
        source_images=[_stand_in(volume, context, planes[0])],
        pixel_array=label_segments(result.findings),
        segmentation_type=segmentation_type.value,
        segment_descriptions=_descriptions(result, segments),
        series_instance_uid=series_uid(context, SEG_SERIES),
        series_number=SEG_SERIES.number,
        sop_instance_uid=instance_uid(context, SEG_SERIES),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL_NAME,
        software_versions=context.software_version,
        device_serial_number=device_serial_number(result.model),
        content_label="LIVER_LESIONS",
        content_description="Liver and liver lesions, research use only",
        series_description=SEG_SERIES.description,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        omit_empty_frames=True,
        **arguments,
    )
    if binary and result.findings.lesions:
        seg.SegmentsOverlap = "YES"
    _cite_sources(seg, volume, arguments["plane_positions"])  # type: ignore[arg-type]
    _settle(seg, context, result.model, volume.headers[0])
    return ReportFile(
        name="seg.dcm",
        kind=ReportKind.SEG,
        content=encode(seg, context),
        sop_class_uid=str(seg.SOPClassUID),
        sop_instance_uid=str(seg.SOPInstanceUID),
        series_instance_uid=str(seg.SeriesInstanceUID),
    )


def segment_code(segments: tuple[CodedSegment, ...], label: int) -> Code:
    """The property type of a label, for objects that repeat it (SR findings)."""
    coded = find_segment(segments, label)
    if coded is None:
        return snomed.LIVER if label == LIVER_LABEL else snomed.NEOPLASM
    return snomed.body_structure(coded.type_code, coded.type_meaning)
