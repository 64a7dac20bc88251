"""Stored pixel values to Hounsfield units, in a preallocated volume."""

import warnings
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from engine.errors import PixelDataError
from engine.series.attributes import integer, number, text
from engine.series.frames import RAW_SYNTAXES, read_frames, where
from engine.series.headers import Instance
from engine.series.isolation import start_processes
from engine.series.planes import Plane

LOWEST_HU = -1024
"""Given to padding and to everything below; CT numbers of air end here (12 bit storage)."""
HIGHEST_HU = 32767
MAXIMUM_VOLUME_BYTES = 6 * 2**30
"""int16 bytes of one volume: 1024 × 1024 × 3000."""
MAXIMUM_COMPRESSION = 3000
"""Unpacked to packed bytes of a series; a JPEG-LS slice of nothing but air packs 413 times."""
DECODING_THREADS = 4

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

    processes = start_processes()

    def load(job: list[int]) -> None:
        _load_instance([(index, planes[index]) for index in job], volume, step, processes)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoders warn of padding bytes and the like
        with processes, ThreadPoolExecutor(max_workers=DECODING_THREADS) as pool:
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


def _load_instance(
    places: list[tuple[int, Plane]], volume: NDArray[np.int16], step: int, processes: Executor
) -> None:
    instance = places[0][1].instance
    encoding = _read_encoding(instance)
    frames = read_frames([plane for _, plane in places], processes)
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
        raise PixelDataError(f"{where(instance)} needs one gray sample, got {photometric}")
    if allocated != 16 or stored is None or high is None or signed not in (0, 1):
        raise PixelDataError(
            f"{where(instance)} needs 16 allocated bits and a stated sign, got BitsAllocated "
            f"{allocated}, BitsStored {stored}, PixelRepresentation {signed}"
        )
    if not (1 < stored <= 16 and stored - 1 <= high <= 15):
        raise PixelDataError(
            f"{where(instance)} has BitsStored {stored} and HighBit {high} in 16 bits"
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
