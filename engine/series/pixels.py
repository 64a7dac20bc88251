"""Stored pixel values to Hounsfield units, straight into a preallocated volume.

Uncompressed frames are read from the file into their place in the volume, without a DICOM
parser in between; compressed ones go through pydicom's decoders (pyjpegls for JPEG-LS,
OpenJPEG for JPEG 2000 and HTJ2K, GDCM for JPEG Lossless, pydicom for RLE) in threads.
"""

import io
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import Decoder, get_decoder
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
from engine.series.attributes import READING_FAILURES, integer, number, text
from engine.series.codestreams import codestream_size
from engine.series.headers import Instance, inflated, is_deflated
from engine.series.planes import Plane

LOWEST_HU = -1024
"""Given to padding and to everything below; CT numbers of air end here (12 bit storage)."""
HIGHEST_HU = 32767
MAXIMUM_VOLUME_BYTES = 6 * 2**30
"""int16 bytes of one volume: 1024 × 1024 × 3000."""
MAXIMUM_COMPRESSION = 3000
"""Unpacked to packed pixel bytes of a series; empty JPEG-LS slices reach about 2500."""
DECODING_THREADS = 4
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

Stored = NDArray[np.int16] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encoding:
    """How one object stores its pixels (PS3.3 C.7.6.3)."""

    signed: bool
    bits_stored: int
    high_bit: int
    padding: tuple[int, int] | None


def load_hu(planes: Sequence[Plane], *, step: int = 1) -> NDArray[np.int16]:
    """Load slices as Hounsfield units.

    Padding (Pixel Padding Value or Range) becomes −1024 HU and so does everything below;
    values are rounded to whole HU.

    Args:
        planes: Slices of one size, in the order wanted.
        step: Take every n-th row and column (for a coarse look).

    Returns:
        HU, shape (len(planes), ceil(rows / step), ceil(columns / step)).

    Raises:
        PixelDataError: Missing, truncated, too large, or not decodable.
    """
    rows, columns = planes[0].rows, planes[0].columns
    if any((plane.rows, plane.columns) != (rows, columns) for plane in planes):
        raise PixelDataError("Slices of one volume need the same Rows and Columns")
    _check_size(planes)
    shape = (len(planes), -(-rows // step), -(-columns // step))
    volume = np.empty(shape, np.int16)
    jobs = _jobs_by_instance(planes)

    def load(job: list[int]) -> None:
        _load_instance([(index, planes[index]) for index in job], volume, step)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoders warn of padding bytes and the like
        with ThreadPoolExecutor(max_workers=DECODING_THREADS) as pool:
            for _ in pool.map(load, jobs):
                pass
    return volume


def _jobs_by_instance(planes: Sequence[Plane]) -> list[list[int]]:
    jobs: dict[int, list[int]] = {}
    for index, plane in enumerate(planes):
        jobs.setdefault(id(plane.instance), []).append(index)
    return list(jobs.values())


def _check_size(planes: Sequence[Plane]) -> None:
    """Refuse volumes that the bytes present cannot hold, before memory is asked for."""
    plane = planes[0]
    needed = 2 * plane.rows * plane.columns * len(planes)
    if needed > MAXIMUM_VOLUME_BYTES:
        raise PixelDataError(
            f"Volume of {len(planes)} × {plane.rows} × {plane.columns} voxels is too large"
        )
    present = sum(i.source.size for i in {id(p.instance): p.instance for p in planes}.values())
    compressed = any(p.instance.transfer_syntax_uid not in RAW_SYNTAXES for p in planes)
    if needed > present * (MAXIMUM_COMPRESSION if compressed else 1):
        raise PixelDataError(f"Header promises {needed} bytes of pixels, the files hold {present}")


def _load_instance(places: list[tuple[int, Plane]], volume: NDArray[np.int16], step: int) -> None:
    instance = places[0][1].instance
    encoding = _read_encoding(instance)
    try:
        if instance.transfer_syntax_uid in RAW_SYNTAXES:
            frames = _raw_frames(places, instance.pixel_offset or 0)
        elif is_deflated(instance.transfer_syntax_uid):
            frames = _deflated_frames(places)
        else:
            frames = _decoded_frames(places)
    except OSError as error:
        raise PixelDataError(f"{_where(instance)} cannot be read ({error.strerror})") from error
    for (index, plane), frame in zip(places, frames, strict=True):
        _to_hu(frame[::step, ::step], plane, encoding, volume[index])


def _read_encoding(instance: Instance) -> _Encoding:
    header = instance.header
    allocated = integer(header, "BitsAllocated")
    stored = integer(header, "BitsStored")
    high = integer(header, "HighBit")
    signed = integer(header, "PixelRepresentation")
    samples = integer(header, "SamplesPerPixel")
    photometric = text(header, "PhotometricInterpretation")
    high = stored - 1 if high is None and stored is not None else high
    if samples not in (None, 1) or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise PixelDataError(f"{_where(instance)} needs one gray sample, got {photometric}")
    if allocated != 16 or stored is None or high is None or signed not in (0, 1):
        raise PixelDataError(
            f"{_where(instance)} needs 16 allocated bits and a stated sign, got BitsAllocated "
            f"{allocated}, BitsStored {stored}, PixelRepresentation {signed}"
        )
    if not (1 < stored <= 16 and stored - 1 <= high <= 15):
        raise PixelDataError(
            f"{_where(instance)} has BitsStored {stored} and HighBit {high} in 16 bits"
        )
    return _Encoding(
        signed=signed == 1,
        bits_stored=stored,
        high_bit=high,
        padding=_padding(header, signed=signed == 1),
    )


def _padding(header: Dataset, *, signed: bool) -> tuple[int, int] | None:
    """Padding range in stored values; senders confuse US and SS, the 16 bits are the same."""
    first = number(header, "PixelPaddingValue")
    if first is None:
        return None
    last = number(header, "PixelPaddingRangeLimit")
    bounds = [int(v) & 0xFFFF for v in (first, first if last is None else last)]
    if signed:
        bounds = [v - 0x10000 if v >= 0x8000 else v for v in bounds]
    return min(bounds), max(bounds)


def _raw_frames(places: list[tuple[int, Plane]], offset: int) -> list[NDArray[np.uint16]]:
    instance = places[0][1].instance
    read_into = instance.source.reader()
    head = bytearray(12)
    read_into(memoryview(head), offset)
    start, length = _pixel_value(bytes(head), instance.transfer_syntax_uid)
    dtype = ">u2" if instance.transfer_syntax_uid == EXPLICIT_BIG else "<u2"
    frames = []
    for _, plane in places:
        needed = 2 * plane.rows * plane.columns
        place = (plane.frame_number or 1) - 1
        if length < (place + 1) * needed:
            raise PixelDataError(
                f"{_where(instance)} promises {needed} bytes a frame, "
                f"frame {place + 1} ends after the {length} bytes of Pixel Data"
            )
        words = bytearray(needed)
        count = read_into(memoryview(words), offset + start + place * needed)
        if count < needed:
            raise PixelDataError(
                f"{_where(instance)} is truncated: {count} of {needed} bytes of a frame"
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


def _deflated_frames(places: list[tuple[int, Plane]]) -> list[NDArray[np.uint16]]:
    instance, plane = places[0][1].instance, places[0][1]
    offset = instance.pixel_offset or 0
    frame_bytes = 2 * plane.rows * plane.columns
    needed = 12 + frame_bytes * max(p.frame_number or 1 for _, p in places)
    data = inflated(instance.source.read(), offset + needed)
    start, _ = _pixel_value(data[offset : offset + 12], EXPLICIT_LITTLE)
    frames = []
    for _, part in places:
        begin = offset + start + ((part.frame_number or 1) - 1) * frame_bytes
        piece = data[begin : begin + frame_bytes]
        if len(piece) < frame_bytes:
            raise PixelDataError(f"{_where(instance)} is truncated: deflated pixels end early")
        frames.append(np.frombuffer(piece, "<u2").reshape(part.rows, part.columns))
    return frames


def _decoded_frames(places: list[tuple[int, Plane]]) -> list[NDArray[np.uint16]]:
    instance = places[0][1].instance
    plugin = DECODERS.get(instance.transfer_syntax_uid)
    if plugin is None:
        raise PixelDataError(
            f"{_where(instance)} has transfer syntax {instance.transfer_syntax_uid}, "
            "which is no image compression this engine knows; have the PACS send it uncompressed"
        )
    decoder = get_decoder(UID(instance.transfer_syntax_uid))
    try:
        dataset = pydicom.dcmread(io.BytesIO(instance.source.read()))
        frames = [_decode(decoder, dataset, p, plugin) for _, p in places]
    except InputError:
        raise
    except DECODING_FAILURES as error:
        raise PixelDataError(
            f"{_where(instance)} cannot be decoded ({type(error).__name__}); "
            "have the PACS send it again or uncompressed"
        ) from error
    for frame, (_, plane) in zip(frames, places, strict=True):
        if frame.shape != (plane.rows, plane.columns) or frame.dtype.itemsize > 2:
            raise PixelDataError(
                f"{_where(instance)} decodes to {frame.shape} {frame.dtype}, the header says "
                f"{(plane.rows, plane.columns)} in 16 bits"
            )
    return [np.ascontiguousarray(frame.astype(np.uint16, copy=False)) for frame in frames]


def _decode(decoder: Decoder, dataset: Dataset, plane: Plane, plugin: str) -> Stored:
    index = (plane.frame_number or 1) - 1
    packed = get_frame(dataset.PixelData, index, number_of_frames=_frame_count(dataset))
    claimed = codestream_size(packed)
    if claimed not in (None, (plane.rows, plane.columns)):
        raise PixelDataError(
            f"{_where(plane.instance)} holds a codestream of {claimed} pixels, the header says "
            f"{(plane.rows, plane.columns)}"
        )
    frame, _ = decoder.as_array(dataset, index=index, raw=True, decoding_plugin=plugin)
    return frame


def _frame_count(dataset: Dataset) -> int:
    return integer(dataset, "NumberOfFrames") or 1


def _to_hu(
    stored: NDArray[np.uint16], plane: Plane, encoding: _Encoding, output: NDArray[np.int16]
) -> None:
    """Stored values of one slice to HU (PS3.3 C.11.1.1.2), written to ``output``."""
    words = np.ascontiguousarray(stored, np.uint16)
    values = _significant_bits(words, encoding)
    whole = plane.slope == 1 and plane.intercept == int(plane.intercept)
    wide = values.astype(np.int32)
    if whole:
        hu = wide + np.int32(int(plane.intercept))
    else:
        hu = np.rint(values * plane.slope + plane.intercept)
    if encoding.padding is not None:
        low, high = encoding.padding
        hu[(wide >= low) & (wide <= high)] = LOWEST_HU
    np.clip(hu, LOWEST_HU, HIGHEST_HU, out=hu)
    output[...] = hu


def _significant_bits(words: NDArray[np.uint16], encoding: _Encoding) -> Stored:
    """Cut away bits that are no pixel (old overlays) and extend the sign."""
    above = 15 - encoding.high_bit
    unused = 16 - encoding.bits_stored
    if not encoding.signed:
        if unused:
            return np.asarray((words << above) >> unused, np.uint16)
        return words
    signed = words.view(np.int16)
    return np.asarray((signed << above) >> unused, np.int16) if unused else signed


def _where(instance: Instance) -> str:
    return f"Image {instance.sop_instance_uid}"
