"""Attributes are decoded from whatever the sender wrote, or come back empty."""

import io
import math

import pydicom
import pytest
from pydicom.dataset import Dataset

from engine.errors import InvalidGeometryError
from engine.series.attributes import decoded_text, integer, items, number, numbers, text, vector


def _raw(*elements: tuple[int, str, bytes], implicit: bool = False) -> Dataset:
    """A dataset as read from bytes, values not yet decoded."""
    data = b""
    for tag, vr, value in elements:
        data += (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
        if implicit:
            data += len(value).to_bytes(4, "little")
        else:
            data += vr.encode() + len(value).to_bytes(2, "little")
        data += value
    return pydicom.filereader.read_dataset(io.BytesIO(data), implicit, True)


@pytest.mark.parametrize("implicit", [False, True])
def test_numbers_come_from_text_and_from_binary(implicit: bool) -> None:
    dataset = _raw(
        (0x00280010, "US", b"\x00\x02"), (0x00280030, "DS", b"0.8\\ .7 "), implicit=implicit
    )
    assert integer(dataset, "Rows") == 512
    assert vector(dataset, "PixelSpacing", 2) == (0.8, 0.7)


def test_a_number_in_the_wrong_vr_is_still_a_number() -> None:
    assert integer(_raw((0x00280010, "IS", b"512 ")), "Rows") == 512
    assert integer(_raw((0x00280010, "FD", b"\0\0\0\0\0\0\x80@")), "Rows") == 512


@pytest.mark.parametrize("value", [b"abc ", b"", b"1\\2 ", b"nan ", b"inf "])
def test_a_broken_number_is_none(value: bytes) -> None:
    assert number(_raw((0x00281053, "DS", value)), "RescaleSlope") is None


def test_a_broken_member_of_a_list_is_nan() -> None:
    found = numbers(_raw((0x00280030, "DS", b"0.8\\x ")), "PixelSpacing")
    assert found[0] == 0.8
    assert math.isnan(found[1])


def test_a_vector_says_what_it_needed_and_found() -> None:
    with pytest.raises(InvalidGeometryError, match=r"ImagePositionPatient needs 3 .* got 2: 1, 2"):
        vector(_raw((0x00200032, "DS", b"1\\2 ")), "ImagePositionPatient", 3)
    with pytest.raises(InvalidGeometryError, match="ImagePositionPatient is missing"):
        vector(Dataset(), "ImagePositionPatient", 3)


def test_padding_of_text_is_no_text() -> None:
    dataset = _raw((0x00080060, "CS", b"CT"), (0x0020000D, "UI", b"1.2.3\0"))
    assert text(dataset, "Modality") == "CT"
    assert text(dataset, "StudyInstanceUID") == "1.2.3"
    assert text(dataset, "SeriesInstanceUID") == ""


def test_what_is_no_sequence_is_refused_as_one() -> None:
    broken = Dataset()
    broken.add_new(0x52009229, "LO", "not a sequence")
    with pytest.raises(InvalidGeometryError, match="not a sequence"):
        items(broken, "SharedFunctionalGroupsSequence")
    assert items(Dataset(), "SharedFunctionalGroupsSequence") == ()


def test_names_are_decoded_in_their_character_set() -> None:
    dataset = _raw((0x00080005, "CS", b"ISO_IR 192"), (0x0008103E, "LO", "Leber venös ".encode()))
    assert decoded_text(dataset, "SeriesDescription") == "Leber venös"
