"""Read what a compressed frame claims about itself, before a decoder believes it.

A damaged or hostile codestream can claim 65535 × 65535 pixels in a few bytes; decoders then
ask for gigabytes and work for minutes. One that claims 153 bits a sample makes GDCM crash
the process. The claim must fit the DICOM header.
"""

from dataclasses import dataclass

JPEG_START = b"\xff\xd8"
JPEG_2000_START = b"\xff\x4f\xff\x51"
JPEG_LS_FRAME = 0xF7
"""Start of frame of JPEG-LS (ISO/IEC 14495-1 C.1.1.2)."""
NO_FRAME_MARKERS = frozenset((0xC4, 0xC8, 0xCC))
"""Markers between 0xC0 and 0xCF that start no frame (ISO/IEC 10918-1 table B.1)."""
START_OF_SCAN = 0xDA


@dataclass(frozen=True, slots=True, kw_only=True)
class Codestream:
    """Size, bits per sample and samples per pixel that a codestream claims."""

    rows: int
    columns: int
    bits: int
    samples: int


def read_claim(frame: bytes) -> Codestream | None:
    """What a JPEG, JPEG-LS, JPEG 2000 or HTJ2K codestream claims about itself.

    Returns:
        None when the bytes hold no such claim (another compression, or damage).
    """
    if frame.startswith(JPEG_2000_START):
        return _jpeg_2000_claim(frame)
    if frame.startswith(JPEG_START):
        return _jpeg_claim(frame)
    return None


def _jpeg_2000_claim(frame: bytes) -> Codestream | None:
    """Image area and first component of the SIZ marker segment (ISO/IEC 15444-1 A.5.1)."""
    if len(frame) < 43:
        return None
    right, bottom, left, top = (int.from_bytes(frame[k : k + 4], "big") for k in range(8, 24, 4))
    return Codestream(
        rows=bottom - top,
        columns=right - left,
        bits=(frame[42] & 0x7F) + 1,
        samples=int.from_bytes(frame[40:42], "big"),
    )


def _jpeg_claim(frame: bytes) -> Codestream | None:
    """Precision, lines, samples per line, components of the frame (ISO/IEC 10918-1 B.2.2)."""
    place = len(JPEG_START)
    while place + 10 <= len(frame) and frame[place] == 0xFF:
        marker = frame[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        if marker == START_OF_SCAN:
            return None
        starts = 0xC0 <= marker <= 0xCF and marker not in NO_FRAME_MARKERS
        if starts or marker == JPEG_LS_FRAME:
            return Codestream(
                rows=int.from_bytes(frame[place + 5 : place + 7], "big"),
                columns=int.from_bytes(frame[place + 7 : place + 9], "big"),
                bits=frame[place + 4],
                samples=frame[place + 9],
            )
        place += 2 + int.from_bytes(frame[place + 2 : place + 4], "big")
    return None
