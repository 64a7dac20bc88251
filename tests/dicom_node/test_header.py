"""Identifiers from the first bytes, against hostile bytes."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import CTImageStorage

from dicom_node.errors import InvalidInstanceError
from dicom_node.header import TruncatedHeaderError, is_uid, read_identifiers

EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"


def encode(dataset: Dataset, syntax: str) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian = syntax != BIG
    buffer.is_implicit_VR = syntax == IMPLICIT
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def make_dataset() -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.4", "1.2.5"
    inner = Dataset()
    inner.CodeValue = "X"
    outer = Dataset()
    outer.ProcedureCodeSequence = [inner]
    dataset.ReferencedStudySequence = [outer, outer]
    dataset.PatientID = "P"
    dataset.Rows = 2
    return dataset


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
@pytest.mark.parametrize("undefined", [False, True])
def test_identifiers_are_read_past_nested_sequences(syntax: str, undefined: bool) -> None:
    """Sequences of defined and of undefined length before Study Instance UID."""
    dataset = make_dataset()
    dataset["ReferencedStudySequence"].is_undefined_length = undefined
    for item in dataset.ReferencedStudySequence:
        item.is_undefined_length_sequence_item = undefined
        item["ProcedureCodeSequence"].is_undefined_length = undefined
    found = read_identifiers(encode(dataset, syntax), syntax)
    assert found.sop_instance_uid == "1.2.3"
    assert found.study_instance_uid == "1.2.4"
    assert found.series_instance_uid == "1.2.5"


def test_a_deflated_dataset_is_inflated() -> None:
    packer = zlib.compressobj(wbits=-15)
    data = packer.compress(encode(make_dataset(), EXPLICIT)) + packer.flush()
    assert read_identifiers(data, DEFLATED).study_instance_uid == "1.2.4"


def test_a_decompression_bomb_stays_small() -> None:
    """A gigabyte of zeros inflates to one mebibyte at most, and is refused."""
    packer = zlib.compressobj(wbits=-15)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    with pytest.raises(InvalidInstanceError):
        read_identifiers(bomb, DEFLATED)


@pytest.mark.parametrize("missing", ["SOPClassUID", "StudyInstanceUID"])
def test_a_missing_identifier_is_refused(missing: str) -> None:
    dataset = make_dataset()
    delattr(dataset, missing)
    with pytest.raises(InvalidInstanceError, match="Dataset has no"):
        read_identifiers(encode(dataset, EXPLICIT), EXPLICIT)


def test_bytes_that_end_early_ask_for_more() -> None:
    data = encode(make_dataset(), EXPLICIT)
    with pytest.raises(TruncatedHeaderError):
        read_identifiers(data[:40], EXPLICIT)


def test_elements_out_of_order_are_refused() -> None:
    """A length that leads back can therefore never loop."""
    one = struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 0)
    with pytest.raises(InvalidInstanceError, match="ascending"):
        read_identifiers(one + one, EXPLICIT)


def test_sequences_nested_too_deep_are_refused() -> None:
    """Depth is bounded, so the walk cannot exhaust the stack."""
    level = struct.pack("<HH2sHI", 0x0008, 0x1110, b"SQ", 0, 0xFFFFFFFF)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    with pytest.raises(InvalidInstanceError, match="nested"):
        read_identifiers((level + item) * 1000, EXPLICIT)


@given(st.binary(max_size=400), st.sampled_from([EXPLICIT, IMPLICIT, BIG, DEFLATED]))
def test_random_bytes_only_ever_raise_the_named_error(data: bytes, syntax: str) -> None:
    try:
        read_identifiers(data, syntax)
    except InvalidInstanceError:
        return


@given(st.data())
def test_a_damaged_dataset_only_ever_raises_the_named_error(data: st.DataObject) -> None:
    """Structure-aware: a good dataset with a few bytes changed."""
    good = bytearray(encode(make_dataset(), EXPLICIT))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_identifiers(bytes(good), EXPLICIT)
    except InvalidInstanceError:
        return


@pytest.mark.parametrize("text", ["1.2.840.10008.1.1", "2.25.0", "1.02.3"])
def test_uids_by_grammar_pass(text: str) -> None:
    assert is_uid(text)


@pytest.mark.parametrize(
    "text", ["", ".", "1..2", "1.2.", "../../x", "1.2/3", "1.2\n", "1" * 65, "١.2", "1.2\0"]
)
def test_texts_that_are_no_uid_do_not(text: str) -> None:
    assert not is_uid(text)
