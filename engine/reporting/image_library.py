"""Image library of the report: the cited images and what they are (TID 1600 to 1604)."""

from pydicom.dataset import Dataset

from engine.coding import dicom, ucum
from engine.reporting.source_plane import SourcePlane
from engine.reporting.sr_content import (
    HAS_ACQ_CONTEXT,
    make_code,
    make_container,
    make_image,
    make_num,
    make_uidref,
)
from engine.values.geometry import VolumeGeometry


def _entry(plane: SourcePlane, grid: VolumeGeometry, frame_of_reference_uid: str) -> Dataset:
    header, mm = plane.header, ucum.MILLIMETER
    descriptors = [make_code(dicom.MODALITY, dicom.COMPUTED_TOMOGRAPHY, HAS_ACQ_CONTEXT)]
    if frame_of_reference_uid:
        descriptors.append(
            make_uidref(dicom.FRAME_OF_REFERENCE_UID, frame_of_reference_uid, HAS_ACQ_CONTEXT)
        )
    thickness = float(header.get("SliceThickness") or grid.spacing.slice_mm)
    numbers = [
        (dicom.PIXEL_DATA_ROWS, float(header.Rows), ucum.PIXELS),
        (dicom.PIXEL_DATA_COLUMNS, float(header.Columns), ucum.PIXELS),
        (dicom.HORIZONTAL_PIXEL_SPACING, plane.column_mm, mm),
        (dicom.VERTICAL_PIXEL_SPACING, plane.row_mm, mm),
        (dicom.SLICE_THICKNESS, thickness, mm),
        *((name, v, mm) for name, v in zip(dicom.IMAGE_POSITION, plane.position_mm, strict=True)),
        *(
            (name, cosine, ucum.UNIT_VECTOR)
            for name, cosine in zip(
                dicom.IMAGE_ORIENTATION, (*plane.along_row, *plane.along_column), strict=True
            )
        ),
    ]
    descriptors += [make_num(n, value, unit, HAS_ACQ_CONTEXT) for n, value, unit in numbers]
    return make_image(plane.reference, children=descriptors)


def image_library(
    planes: list[SourcePlane], grid: VolumeGeometry, frame_of_reference_uid: str
) -> Dataset:
    """The library of the cited planes; each image or frame once.

    All 300 slices would cost megabytes and seconds and help nobody; the evidence sequence
    lists them.
    """
    unique = {plane.reference: plane for plane in planes}
    entries = [_entry(plane, grid, frame_of_reference_uid) for plane in unique.values()]
    group = make_container(dicom.IMAGE_LIBRARY_GROUP, entries)
    return make_container(dicom.IMAGE_LIBRARY, [group], template="1600")
