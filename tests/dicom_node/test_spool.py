"""The spool: whole files under their final names, or nothing."""

import errno
import os
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from dicom_node.spool import Spool, encode_file_meta, is_whole


@pytest.mark.parametrize("durability", ["journal", "strict", "none"])
def test_a_committed_file_lies_whole_in_new(tmp_path: Path, durability: str) -> None:
    spool = Spool(tmp_path, durability=durability)
    file = spool.open_file()
    file.write(b"abc")
    file.write(memoryview(b"defg"))
    path = file.commit()
    assert path.parent == spool.new
    assert path.read_bytes() == b"abcdefg"
    assert is_whole(path)
    assert list(spool.tmp.iterdir()) == []


def test_a_discarded_file_leaves_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    file = spool.open_file()
    file.write(b"abc")
    file.discard()
    assert [*spool.tmp.iterdir(), *spool.new.iterdir()] == []


def test_a_file_cut_short_by_a_power_cut_is_recognized(tmp_path: Path) -> None:
    """The name promises the length."""
    spool = Spool(tmp_path)
    file = spool.open_file()
    file.write(b"abcdefg")
    path = file.commit()
    path.write_bytes(b"abc")
    assert not is_whole(path)


def test_file_meta_built_with_struct_is_read_by_pydicom() -> None:
    """PS3.10 7.1: group length, class, instance, syntax, who sent it."""
    data = encode_file_meta("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.1", "SENDER")
    meta = dcmread(BytesIO(data + b"\x08\0\x60\0CS\2\0CT")).file_meta
    assert meta.FileMetaInformationGroupLength == len(data) - 144
    assert meta.MediaStorageSOPInstanceUID == "1.2.3"
    assert meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert meta.SourceApplicationEntityTitle == "SENDER"


def test_what_still_arrives_is_told_from_what_a_crash_left(tmp_path: Path) -> None:
    """By the writer's lock, so that no clock and no slow sender can make a mistake."""
    spool = Spool(tmp_path)
    arriving = spool.open_file()
    arriving.write(b"abc")
    left = spool.open_file()
    left.write(b"def")
    os.close(left._descriptor)
    assert Spool(tmp_path).discard_unfinished() == 1
    arriving.write(b"ghi")
    assert arriving.commit().read_bytes() == b"abcghi"


def test_a_file_that_cannot_be_made_durable_is_not_left_to_the_inbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    spool = Spool(tmp_path)
    file = spool.open_file()
    file.write(b"abc")
    monkeypatch.setattr("dicom_node.spool.os.fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        file.commit()
    file.discard()
    assert [*spool.tmp.iterdir(), *spool.new.iterdir()] == []


def test_names_are_never_given_twice_even_when_the_clock_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicom_node.spool.time.time_ns", lambda: 1)
    names = {Spool(tmp_path)._unique() for _ in range(50)}
    assert len(names) == 50
