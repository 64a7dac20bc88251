"""Read the size a compressed frame claims, before a decoder believes it.

A damaged or hostile codestream can claim 65535 × 65535 pixels in a few bytes; decoders then
ask for gigabytes and work for minutes. The claim must equal the DICOM header's.
"""

JPEG_START = b"\xff\xd8"
JPEG_2000_START = b"\xff\x4f\xff\x51"
JPEG_LS_FRAME = 0xF7
"""Start of frame of JPEG-LS (ISO/IEC 14495-1 C.1.1.2)."""
NO_FRAME_MARKERS = frozenset((0xC4, 0xC8, 0xCC))
"""Markers between 0xC0 and 0xCF that start no frame (ISO/IEC 10918-1 table B.1)."""
START_OF_SCAN = 0xDA


def codestream_size(frame: bytes) -> tuple[int, int] | None:
    """The (rows, columns) that a JPEG, JPEG-LS, JPEG 2000 or HTJ2K codestream claims.

    Returns:
        None when the bytes hold no such claim (another compression, or damage).
    """
    if frame.startswith(JPEG_2000_START):
        return _jpeg_2000_size(frame)
    if frame.startswith(JPEG_START):
        return _jpeg_size(frame)
    return None


def _jpeg_2000_size(frame: bytes) -> tuple[int, int] | None:
    """Image area of the SIZ marker segment (ISO/IEC 15444-1 A.5.1)."""
    if len(frame) < 24:
        return None
    right, bottom, left, top = (int.from_bytes(frame[k : k + 4], "big") for k in range(8, 24, 4))
    return bottom - top, right - left


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    """Lines and samples per line of the start of frame (ISO/IEC 10918-1 B.2.2)."""
    place = len(JPEG_START)
    while place + 9 <= len(frame) and frame[place] == 0xFF:
        marker = frame[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        if marker == START_OF_SCAN:
            return None
        starts = 0xC0 <= marker <= 0xCF and marker not in NO_FRAME_MARKERS
        if starts or marker == JPEG_LS_FRAME:
            rows, columns = (
                int.from_bytes(frame[k : k + 2], "big") for k in (place + 5, place + 7)
            )
            return rows, columns
        place += 2 + int.from_bytes(frame[place + 2 : place + 4], "big")
    return None
