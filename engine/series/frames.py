"""The stored pixels of slices, whatever they are encoded in.

Uncompressed frames are read from their place in the file, without a DICOM parser in between;
compressed ones go through pydicom's decoders: pyjpegls for JPEG-LS, OpenJPEG for JPEG 2000
and HTJ2K, GDCM for JPEG (in processes of its own), pydicom itself for RLE.
"""

import io
from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from engine.errors import InputError, PixelDataError
from engine.series.attributes import READING_FAILURES, integer
from engine.series.codestreams import Codestream, read_claim
from engine.series.headers import Instance, inflated, is_deflated
from engine.series.isolation import PackedFrame, decode_with_gdcm
from engine.series.planes import Plane

IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
)
RAW_SYNTAXES = frozenset((IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG))
DECODERS: dict[str, str] = {
    RLELossless: "pydicom",
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
    JPEG2000Lossless: "pylibjpeg",
    JPEG2000: "pylibjpeg",
    HTJ2KLossless: "pylibjpeg",
    HTJ2KLosslessRPCL: "pylibjpeg",
    HTJ2K: "pylibjpeg",
    JPEGBaseline8Bit: "gdcm",
    JPEGExtended12Bit: "gdcm",
    JPEGLossless: "gdcm",
    JPEGLosslessSV1: "gdcm",
}
"""pydicom's plugin per transfer syntax, always the same one (pylibjpeg stands for OpenJPEG;
other plugins may be installed beside ours, and the RLE one aborts on damaged data)."""
DECODING_FAILURES = (*READING_FAILURES, RuntimeError, InvalidDicomError, OSError)

CODESTREAM_BITS = range(9, 17)
"""Bits per sample that decode to 16-bit words."""
Words = NDArray[np.uint16]


def read_frames(planes: Sequence[Plane], pool: Executor) -> list[Words]:
    """Read the stored values of slices that lie in one DICOM object.

    Args:
        planes: Slices of one object.
        pool: Processes for JPEG (``isolation.start_processes``); unused for the rest.

    Returns:
        One array (rows, columns) per slice: the 16 allocated bits, signed or not.

    Raises:
        PixelDataError: Missing, truncated or not decodable.
    """
    instance = planes[0].instance
    try:
        if instance.transfer_syntax_uid in RAW_SYNTAXES:
            return _raw_frames(planes)
        if is_deflated(instance.transfer_syntax_uid):
            return _deflated_frames(planes)
        return _decoded_frames(planes, pool)
    except OSError as error:
        raise PixelDataError(f"{where(instance)} cannot be read ({error.strerror})") from error


def where(instance: Instance) -> str:
    """How messages name an object."""
    return f"Image {instance.sop_instance_uid}"


def _raw_frames(planes: Sequence[Plane]) -> list[Words]:
    instance = planes[0].instance
    offset = instance.pixel_offset or 0
    read_into = instance.source.reader()
    head = bytearray(12)
    read_into(memoryview(head), offset)
    start, length = _pixel_value(bytes(head), instance.transfer_syntax_uid)
    dtype = ">u2" if instance.transfer_syntax_uid == EXPLICIT_BIG else "<u2"
    frames = []
    for plane in planes:
        needed = 2 * plane.rows * plane.columns
        place = (plane.frame_number or 1) - 1
        if length < (place + 1) * needed:
            raise PixelDataError(
                f"{where(instance)} promises {needed} bytes a frame, "
                f"frame {place + 1} ends after the {length} bytes of Pixel Data"
            )
        words = bytearray(needed)
        count = read_into(memoryview(words), offset + start + place * needed)
        if count < needed:
            raise PixelDataError(
                f"{where(instance)} is truncated: {count} of {needed} bytes of a frame"
            )
        frames.append(np.frombuffer(words, dtype).reshape(plane.rows, plane.columns))
    return frames


def _pixel_value(head: bytes, syntax: str) -> tuple[int, int]:
    """Where the value of Pixel Data starts after its tag, and its length (PS3.5 7.1)."""
    order = "big" if syntax == EXPLICIT_BIG else "little"
    if syntax == IMPLICIT_LITTLE:
        return 8, int.from_bytes(head[4:8], "little")
    if head[4:6] in (b"OW", b"OB", b"UN"):
        return 12, int.from_bytes(head[8:12], order)  # type: ignore[arg-type]
    raise PixelDataError(f"Pixel Data needs VR OW or OB, got {head[4:6]!r}")


def _deflated_frames(planes: Sequence[Plane]) -> list[Words]:
    instance, plane = planes[0].instance, planes[0]
    offset = instance.pixel_offset or 0
    frame_bytes = 2 * plane.rows * plane.columns
    needed = 12 + frame_bytes * max(p.frame_number or 1 for p in planes)
    data = inflated(instance.source.read(), offset + needed)
    start, _ = _pixel_value(data[offset : offset + 12], EXPLICIT_LITTLE)
    frames = []
    for part in planes:
        begin = offset + start + ((part.frame_number or 1) - 1) * frame_bytes
        piece = data[begin : begin + frame_bytes]
        if len(piece) < frame_bytes:
            raise PixelDataError(f"{where(instance)} is truncated: deflated pixels end early")
        frames.append(np.frombuffer(piece, "<u2").reshape(part.rows, part.columns))
    return frames


def _decoded_frames(planes: Sequence[Plane], pool: Executor) -> list[Words]:
    instance = planes[0].instance
    plugin = DECODERS.get(instance.transfer_syntax_uid)
    if plugin is None:
        raise PixelDataError(
            f"{where(instance)} has transfer syntax {instance.transfer_syntax_uid}, "
            "which is no image compression this engine knows; have the PACS send it uncompressed"
        )
    try:
        dataset = pydicom.dcmread(io.BytesIO(instance.source.read()))
        frames = [_decode(dataset, p, plugin, pool) for p in planes]
    except InputError:
        raise
    except DECODING_FAILURES as error:
        raise PixelDataError(
            f"{where(instance)} cannot be decoded ({type(error).__name__}); "
            "have the PACS send it again or uncompressed"
        ) from error
    for frame, plane in zip(frames, planes, strict=True):
        if frame.shape != (plane.rows, plane.columns) or frame.dtype.itemsize > 2:
            raise PixelDataError(
                f"{where(instance)} decodes to {frame.shape} {frame.dtype}, the header says "
                f"{(plane.rows, plane.columns)} in 16 bits"
            )
    return [np.ascontiguousarray(frame.astype(np.uint16, copy=False)) for frame in frames]


def _decode(dataset: Dataset, plane: Plane, plugin: str, pool: Executor) -> NDArray[np.generic]:
    syntax = plane.instance.transfer_syntax_uid
    index = (plane.frame_number or 1) - 1
    packed = get_frame(dataset.PixelData, index, number_of_frames=_frame_count(dataset))
    claim = read_claim(packed)
    if claim is None and syntax != RLELossless:
        raise PixelDataError(f"{where(plane.instance)} cannot be decoded: its frame has no header")
    if claim is not None:
        _check_claim(claim, plane)
    if plugin != "gdcm":
        decoder = get_decoder(UID(syntax))
        return decoder.as_array(dataset, index=index, raw=True, decoding_plugin=plugin)[0]
    frame = PackedFrame(
        transfer_syntax_uid=syntax,
        rows=plane.rows,
        columns=plane.columns,
        bits_stored=integer(dataset, "BitsStored") or 16,
        signed=integer(dataset, "PixelRepresentation") == 1,
        codestream=packed,
    )
    return pool.submit(decode_with_gdcm, frame).result()


def _check_claim(claim: Codestream, plane: Plane) -> None:
    same_size = (claim.rows, claim.columns) == (plane.rows, plane.columns)
    if not same_size or claim.samples != 1 or claim.bits not in CODESTREAM_BITS:
        raise PixelDataError(
            f"{where(plane.instance)} holds a codestream of ({claim.rows}, {claim.columns}) pixels "
            f"with {claim.samples} samples of {claim.bits} bits, the header says "
            f"({plane.rows}, {plane.columns}) with one sample in 16 bits"
        )


def _frame_count(dataset: Dataset) -> int:
    return integer(dataset, "NumberOfFrames") or 1
