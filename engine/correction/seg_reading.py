"""A DICOM Segmentation as a drawing (PS3.3 A.51), whoever wrote it.

Frames are placed one by one by their own position and orientation.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.utils import iter_pixels

from engine.correction.drawn import Drawn, DrawnLesion, bounded
from engine.correction.lattice import Placement, place
from engine.correction.meaning import Meaning, meaning_of
from engine.errors import CorrectionError
from engine.values.model import CodedSegment
from engine.values.volume import Volume


@dataclass(slots=True, kw_only=True)
class ReadSegment:
    """One segment while it is being put together."""

    number: int
    name: str
    meaning: Meaning
    tracking_uid: str
    mask: NDArray[np.bool_] = field(repr=False)


def is_dicom(path: Path) -> bool:
    """Tell whether a file starts like a DICOM file."""
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError as error:
        raise CorrectionError(f"{path.name} cannot be read: {error.strerror}") from error


def read_seg(path: Path, volume: Volume, segments: tuple[CodedSegment, ...]) -> Drawn:
    """Read liver and lesions of a SEG onto the volume's grid.

    Args:
        path: The SEG file.
        volume: The reference volume.
        segments: The model's codes of liver and tumor, known besides the usual ones.

    Raises:
        CorrectionError: No SEG, another patient's or study's, another frame of reference,
            off the grid, damaged, or without a liver.
    """
    try:
        seg = dcmread(path)
        check_belongs(seg, volume)
        read = _describe(seg, volume, segments)
        _fill(seg, volume, read)
    except (InvalidDicomError, OSError) as error:
        raise CorrectionError(f"{path.name} cannot be read as DICOM; export the SEG again") from (
            error
        )
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise CorrectionError(
            f"{path.name} is a damaged or incomplete SEG ({type(error).__name__}); export it again"
        ) from error
    return assemble(read)


def check_belongs(seg: Dataset, volume: Volume) -> None:
    """Refuse a SEG that was not drawn on this volume.

    Raises:
        CorrectionError: Says what differs, never a patient's name.
    """
    if seg.get("Modality") != "SEG":
        raise CorrectionError(f"A DICOM SEG is needed, got modality {seg.get('Modality')}")
    if "SegmentSequence" not in seg or "PixelData" not in seg:
        raise CorrectionError("The SEG is incomplete: segments or pixels are missing; export again")
    study = str(seg.StudyInstanceUID)
    if study != volume.study.study_instance_uid:
        raise CorrectionError(
            f"The SEG belongs to study {study}, the images to {volume.study.study_instance_uid}"
        )
    if str(seg.get("PatientID", "")) != volume.study.patient.patient_id:
        raise CorrectionError("The SEG names another Patient ID than the images")
    wanted = volume.geometry.frame_of_reference_uid
    found = str(seg.get("FrameOfReferenceUID", ""))
    if wanted and found != wanted:
        raise CorrectionError(
            f"The SEG lies in frame of reference {found or 'none'}, the reference series "
            f"{volume.series.series_instance_uid} in {wanted}; draw on the reference series"
        )
    if seg.SegmentationType == "FRACTIONAL":
        raise CorrectionError("The SEG is FRACTIONAL; export it as BINARY or LABELMAP")


def _describe(
    seg: Dataset, volume: Volume, segments: tuple[CodedSegment, ...]
) -> list[ReadSegment]:
    read = []
    for item in seg.SegmentSequence:
        category = item.SegmentedPropertyCategoryCodeSequence[0]
        kind = item.SegmentedPropertyTypeCodeSequence[0]
        number = int(item.SegmentNumber)
        if number == 0:
            continue  # background of a LABELMAP
        read.append(
            ReadSegment(
                number=number,
                name=str(item.get("TrackingID", "") or item.SegmentLabel),
                meaning=meaning_of(str(category.CodeValue), str(kind.CodeValue), segments),
                tracking_uid=str(item.get("TrackingUID", "")),
                mask=np.zeros(volume.geometry.shape, np.bool_),
            )
        )
    return read


def _fill(seg: Dataset, volume: Volume, read: list[ReadSegment]) -> None:
    by_number = {segment.number: segment for segment in read}
    labelmap = seg.SegmentationType == "LABELMAP"
    for index, (item, plane) in enumerate(
        zip(seg.PerFrameFunctionalGroupsSequence, frames_of(seg), strict=True)
    ):
        values = np.asarray(plane).reshape(seg.Rows, seg.Columns)
        what = f"Frame {index + 1} of the SEG"
        placement = place(
            (1, *values.shape), _frame_affine(seg, item, volume), volume.geometry, what
        )
        _check_whole(placement, volume, what)
        turned = placement.turn(values[np.newaxis])
        if labelmap:
            numbers = [int(n) for n in np.unique(values) if n]
        else:
            numbers = [int(_group(seg, item, "SegmentIdentification").ReferencedSegmentNumber)]
        for number in numbers:
            hit = turned == number if labelmap else turned > 0
            by_number[number].mask[placement.box] |= hit


def frames_of(seg: Dataset) -> Iterator[NDArray[Any]]:
    """Stored values of each frame.

    Bits are unpacked here: pydicom 3.0 fails on single frames that end within a byte.
    """
    if int(seg.BitsAllocated) != 1 or seg.file_meta.TransferSyntaxUID.is_compressed:
        yield from iter_pixels(seg)
        return
    pixels = int(seg.Rows) * int(seg.Columns)
    raw = np.frombuffer(seg.PixelData, np.uint8)
    for number in range(int(seg.NumberOfFrames)):
        first = number * pixels
        packed = raw[first // 8 : (first + pixels + 7) // 8]
        yield np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + pixels]


def _check_whole(placement: Placement, volume: Volume, what: str) -> None:
    """A frame must cover its plane of the grid; only its place along the normal is free."""
    covered = [placement.shape[a] for a in range(3) if placement.axes[a] != 0]
    wanted = [volume.geometry.shape[a] for a in range(3) if placement.axes[a] != 0]
    if covered != wanted:
        raise CorrectionError(
            f"{what} has {covered[0]} × {covered[1]} voxels in the plane, the reference series "
            f"{wanted[0]} × {wanted[1]}; draw on the reference series"
        )


def _frame_affine(seg: Dataset, item: Dataset, volume: Volume) -> NDArray[np.float64]:
    """Index [0, row, column] of a frame to LPS mm; the first axis is the frame's normal."""
    position = _group(seg, item, "PlanePosition").ImagePositionPatient
    cosines = [float(v) for v in _group(seg, item, "PlaneOrientation").ImageOrientationPatient]
    measures = _group(seg, item, "PixelMeasures")
    row_mm, column_mm = (float(v) for v in measures.PixelSpacing)
    along_row, along_column = np.array(cosines[:3]), np.array(cosines[3:])
    normal = np.cross(along_row, along_column)
    spacing = volume.geometry.spacing.as_tuple()
    step = spacing[int(np.abs(volume.geometry.directions.T @ normal).argmax())]
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = normal * step, along_column * row_mm
    affine[:3, 2], affine[:3, 3] = along_row * column_mm, [float(v) for v in position]
    return affine


def _group(seg: Dataset, item: Dataset, name: str) -> Any:  # noqa: ANN401 - a Dataset's item
    """A frame's functional group, its own or shared.

    Raises:
        CorrectionError: It is in neither place.
    """
    keyword = f"{name}Sequence"
    for groups in (item, seg.SharedFunctionalGroupsSequence[0]):
        if keyword in groups:
            return groups[keyword].value[0]
    raise CorrectionError(f"A frame of the SEG has no {keyword}, own or shared")


def assemble(read: list[ReadSegment]) -> Drawn:
    """A drawing from its segments.

    Raises:
        CorrectionError: There is not exactly one liver.
    """
    livers = [segment for segment in read if segment.meaning is Meaning.LIVER]
    if len(livers) != 1:
        named = ", ".join(segment.name for segment in read) or "none"
        raise CorrectionError(
            f"The segmentation needs one liver segment, found {len(livers)} (segments: {named})"
        )
    notes = [
        f"Segment {segment.name!r} is neither liver nor lesion and was not used."
        for segment in read
        if segment.meaning is Meaning.OTHER
    ]
    lesions = []
    for segment in read:
        if segment.meaning is not Meaning.LESION:
            continue
        found = bounded(segment.mask)
        if found is None:
            notes.append(f"Segment {segment.name!r} is empty and counts as removed.")
            continue
        lesions.append(
            DrawnLesion(
                name=segment.name, tracking_uid=segment.tracking_uid, box=found[0], mask=found[1]
            )
        )
    return Drawn(
        liver=livers[0].mask,
        liver_tracking_uid=livers[0].tracking_uid,
        lesions=tuple(lesions),
        notes=tuple(notes),
    )
