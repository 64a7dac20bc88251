"""Multipart bodies in any chunks; no part is held in memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.multipart import MultipartError, MultipartParser, PieceKind, read_boundary

RELATED = 'multipart/related; type="application/dicom"; boundary='


def parse(body: bytes, sizes: list[int], *, maximum_parts: int = 100) -> tuple[list[bytes], bool]:
    """The parts of a body that comes in chunks of the given sizes."""
    parser = MultipartParser(b"XX", maximum_parts=maximum_parts)
    parts: list[bytes] = []
    rest = body
    for size in [*sizes, len(body)]:
        for kind, data in parser.feed(rest[:size]):
            if kind is PieceKind.HEADERS:
                parts.append(b"")
            elif kind is PieceKind.DATA:
                parts[-1] += data
        rest = rest[size:]
    return parts, parser.is_complete


def encode(parts: list[bytes]) -> bytes:
    head = b"--XX\r\nContent-Type: application/dicom\r\n\r\n"
    return b"".join(head + part + b"\r\n" for part in parts) + b"--XX--\r\n"


bodies = st.lists(st.binary(max_size=60).filter(lambda b: b"\r\n--XX" not in b), max_size=5)


@given(bodies, st.lists(st.integers(1, 30), max_size=40))
def test_parts_do_not_depend_on_the_chunks(parts: list[bytes], sizes: list[int]) -> None:
    assert parse(encode(parts), sizes) == (parts, True)


def test_a_part_may_have_no_headers_and_a_preamble_is_skipped() -> None:
    assert parse(b"hello\r\n--XX\r\n\r\nabc\r\n--XX--", []) == ([b"abc"], True)


def test_a_body_that_breaks_off_is_not_complete() -> None:
    parts, is_complete = parse(encode([b"abc", b"def"])[:-12], [])
    assert parts[0] == b"abc"
    assert not is_complete


def test_memory_stays_small_however_long_a_part_is() -> None:
    """Data comes out as it goes in; what is held is never longer than a boundary."""
    parser = MultipartParser(b"XX", maximum_parts=1)
    list(parser.feed(b"--XX\r\n\r\n"))
    for _ in range(1000):
        out = b"".join(data for _, data in parser.feed(bytes(10000)))
        assert len(out) >= 9990
    assert len(parser._buffer) < 100


def test_headers_and_numbers_of_parts_are_bounded() -> None:
    with pytest.raises(MultipartError, match="headers"):
        parse(b"--XX\r\n" + b"a" * 40000, [])
    with pytest.raises(MultipartError, match="boundary line"):
        parse(b"--XX" + b"a" * 40000, [])
    with pytest.raises(MultipartError, match="More than 2 parts"):
        parse(encode([b"", b"", b""]), [], maximum_parts=2)


def test_only_related_parts_of_dicom_are_taken() -> None:
    assert read_boundary(RELATED + '"a b"') == b"a b"
    for wrong in ("text/plain", "multipart/related", "multipart/form-data; boundary=x"):
        with pytest.raises(MultipartError):
            read_boundary(wrong)
    with pytest.raises(MultipartError, match="application/dicom"):
        read_boundary('multipart/related; type="text/xml"; boundary=x')
