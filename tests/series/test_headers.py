"""One file's header is read without its pixels, in every encoding."""

from pathlib import Path

import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from engine.series.headers import HEAD_BYTES, NotDicomError, inflated, read_instance
from engine.series.sources import ByteSource
from tests.phantoms.dicom_series import ct_series, gradient_hu, to_bytes

SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)


def _source(folder: Path, content: bytes) -> ByteSource:
    path = folder / "file"
    path.write_bytes(content)
    return ByteSource(path=path, name="file", size=len(content))


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda s: s.keyword)
def test_the_pixel_data_element_is_found(tmp_path: Path, syntax: str) -> None:
    content = to_bytes(ct_series(gradient_hu())[0], syntax=syntax)
    instance = read_instance(_source(tmp_path, content))
    assert instance.transfer_syntax_uid == syntax
    assert "PixelData" not in instance.header
    offset = instance.pixel_offset
    plain = inflated(content, 10**6) if syntax == DeflatedExplicitVRLittleEndian else content
    assert offset is not None
    assert set(plain[offset : offset + 4]) == {0x7F, 0xE0, 0x00, 0x10}


@pytest.mark.parametrize("syntax", SYNTAXES[:3], ids=lambda s: s.keyword)
def test_a_dataset_without_preamble_is_read(tmp_path: Path, syntax: str) -> None:
    content = to_bytes(ct_series(gradient_hu())[0], syntax=syntax)
    bare = content[144 + int.from_bytes(content[140:144], "little") :]
    instance = read_instance(_source(tmp_path, bare))
    assert instance.transfer_syntax_uid == syntax
    assert instance.pixel_offset is not None


def test_a_header_longer_than_the_first_read_is_read(tmp_path: Path) -> None:
    dataset = ct_series(gradient_hu())[0]
    dataset.ImageComments = "x" * 9000
    dataset.add_new(0x00231001, "UT", "y" * HEAD_BYTES)
    instance = read_instance(_source(tmp_path, to_bytes(dataset)))
    assert instance.pixel_offset is not None
    assert instance.pixel_offset > HEAD_BYTES


def test_a_file_that_ends_before_its_pixels_has_none(tmp_path: Path) -> None:
    content = to_bytes(ct_series(gradient_hu())[0])
    cut = content[: content.find(b"\xe0\x7f\x10\x00")]
    assert read_instance(_source(tmp_path, cut)).pixel_offset is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"hello " * 100, "not DICOM"),
        (b"PK\x03\x04" + bytes(300), "archive inside the input"),
        (bytes(128) + b"DICM", "without a valid SOPClassUID"),
    ],
)
def test_junk_has_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(NotDicomError, match=reason):
        read_instance(_source(tmp_path, content))
