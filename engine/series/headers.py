"""Read one file's DICOM header without its pixels."""

import io
import re
from dataclasses import dataclass, field

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from engine.errors import InputError
from engine.series.attributes import READING_FAILURES, text
from engine.series.containers import is_media_directory
from engine.series.sources import ByteSource, inflate

HEAD_BYTES = 16 * 1024
"""First read; holds the whole header of nearly every single-frame CT."""
MAXIMUM_HEADER_BYTES = 2 * 2**30
PREFIX = slice(128, 132)
META_LENGTH = slice(140, 144)
"""Value of (0002,0000), the first element after the prefix (PS3.10 7.1)."""
BARE_STARTS = (b"\x08\x00", b"\x02\x00", b"\x00\x08", b"\x00\x02")
"""First group of a dataset without preamble, either byte order."""
UID_GRAMMAR = re.compile(r"[0-9]+(\.[0-9]+)*")
PIXEL_TAGS = {b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10"}
OTHER_PIXEL_TAGS = {b"\xe0\x7f\x08\x00", b"\xe0\x7f\x09\x00"}
DEFLATED_AS_EXPLICIT = (b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1\0\0\0")


class NotDicomError(InputError):
    """A file is no DICOM object this engine can use; the message is the junk reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One DICOM object of the input.

    Attributes:
        source: Where its bytes lie.
        header: Everything before the pixel data; read-only by convention.
        pixel_offset: Where the Pixel Data element starts, in the inflated bytes when the
            transfer syntax is deflated; None when the object has none.
    """

    source: ByteSource
    header: Dataset = field(repr=False)
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    transfer_syntax_uid: str
    modality: str
    pixel_offset: int | None


def read_instance(source: ByteSource) -> Instance:
    """Read the header of one file.

    Raises:
        NotDicomError: No DICOM object, or one without the UIDs that identify it.
        PixelDataError: A damaged archive member or deflate stream.
        OSError: The disk refuses.
    """
    if source.size == 0:
        raise NotDicomError("empty file")
    head = source.read(HEAD_BYTES)
    _check_looks_like_dicom(head)
    dataset, offset = _parse(head)
    if offset is None and source.size > len(head):
        dataset, offset = _parse(source.read(MAXIMUM_HEADER_BYTES))
    return _identify(source, dataset, offset)


def is_deflated(transfer_syntax_uid: str) -> bool:
    """Tell whether the whole dataset is deflated (PS3.5 A.5)."""
    return transfer_syntax_uid == DeflatedExplicitVRLittleEndian


def inflated(data: bytes, limit: int) -> bytes:
    """Bytes of a deflated DICOM file with the dataset unpacked, file meta kept as it was."""
    end = _meta_end(data)
    return data[:end] + inflate(data[end:], limit)


def _check_looks_like_dicom(head: bytes) -> None:
    if head[PREFIX] == b"DICM" or head[:2] in BARE_STARTS:
        return
    if head[:2] == b"PK":
        raise NotDicomError("archive inside the input; unpack it or give it by itself")
    raise NotDicomError("not DICOM (no DICM prefix, no dataset at the start)")


def _parse(data: bytes) -> tuple[Dataset, int | None]:
    """Parse up to the pixel data; the offset is None when they were not reached."""
    try:
        if _names_deflated(data):
            return _parse_deflated(data)
        buffer = io.BytesIO(data)
        dataset = pydicom.dcmread(buffer, stop_before_pixels=True, force=True)
    except (InvalidDicomError, *READING_FAILURES) as error:
        raise NotDicomError(f"damaged DICOM ({type(error).__name__})") from error
    dataset.buffer = None  # pydicom keeps the whole file otherwise
    return dataset, _pixel_offset(buffer)


def _parse_deflated(data: bytes) -> tuple[Dataset, int | None]:
    """Parse as if never deflated: the syntax name is swapped for one of the same length."""
    end = _meta_end(data)
    plain = io.BytesIO(data[:end].replace(*DEFLATED_AS_EXPLICIT))
    plain.seek(end)
    plain.write(inflate(data[end:], MAXIMUM_HEADER_BYTES))
    plain.seek(0)
    dataset = pydicom.dcmread(plain, stop_before_pixels=True)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.buffer = None
    return dataset, _pixel_offset(plain)


def _pixel_offset(buffer: io.BytesIO) -> int | None:
    place = buffer.tell()
    tag = buffer.read(4)
    return place if tag in PIXEL_TAGS or tag in OTHER_PIXEL_TAGS else None


def _names_deflated(data: bytes) -> bool:
    return data[PREFIX] == b"DICM" and DeflatedExplicitVRLittleEndian.encode() in data[:1024]


def _meta_end(data: bytes) -> int:
    return META_LENGTH.stop + int.from_bytes(data[META_LENGTH], "little")


def _identify(source: ByteSource, dataset: Dataset, offset: int | None) -> Instance:
    if is_media_directory(dataset):
        raise NotDicomError("media directory, not an image")
    names = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
    found = {name: text(dataset, name) for name in names}
    for name, value in found.items():
        if len(value) > 64 or not UID_GRAMMAR.fullmatch(value):
            raise NotDicomError(f"DICOM object without a valid {name}")
    meta = getattr(dataset, "file_meta", Dataset())
    return Instance(
        source=source,
        header=dataset,
        sop_class_uid=found["SOPClassUID"],
        sop_instance_uid=found["SOPInstanceUID"],
        series_instance_uid=found["SeriesInstanceUID"],
        study_instance_uid=found["StudyInstanceUID"],
        transfer_syntax_uid=text(meta, "TransferSyntaxUID") or _guessed_syntax(dataset),
        modality=text(dataset, "Modality"),
        pixel_offset=offset,
    )


def _guessed_syntax(dataset: Dataset) -> str:
    implicit, little = dataset.original_encoding
    if implicit:
        return "1.2.840.10008.1.2"
    return str(ExplicitVRLittleEndian) if little else "1.2.840.10008.1.2.2"
