"""What one arriving instance is answered, and what lies on disk then."""

import errno
from pathlib import Path

import pytest

from dicom_node.reception import PREFIX_BYTES, ArrivingInstance, Reception
from dicom_node.spool import Spool, SpoolFile
from dicom_node.status import StorageStatus
from tests.dicom_node.test_header import EXPLICIT, encode, make_dataset

CT = "1.2.840.10008.5.1.4.1.1.2"


def open_instance(folder: Path, uid: str = "1.2.3", **limits: int) -> ArrivingInstance:
    settings = {"maximum_bytes": 1 << 30, "minimum_free_bytes": 0, **limits}
    reception = Reception(Spool(folder), **settings)
    return reception.begin(CT, uid, EXPLICIT, "SENDER")


def files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


def test_a_whole_instance_is_on_disk_when_success_is_answered(tmp_path: Path) -> None:
    arriving = open_instance(tmp_path)
    data = encode(make_dataset(), EXPLICIT)
    for start in range(0, len(data), 7):
        arriving.write(data[start : start + 7])
    assert arriving.finish() is StorageStatus.SUCCESS
    (path,) = files(tmp_path)
    assert path.parent.name == "new"
    assert path.read_bytes().endswith(data)


def test_an_identifier_behind_a_long_sequence_is_found(tmp_path: Path) -> None:
    """Beyond the part that is held in memory, the header is read back from disk."""
    dataset = make_dataset()
    dataset.add_new(0x00090010, "LO", "PRIVATE")
    dataset.add_new(0x00091001, "OB", bytes(PREFIX_BYTES + 10))
    arriving = open_instance(tmp_path)
    arriving.write(encode(dataset, EXPLICIT))
    assert arriving.finish() is StorageStatus.SUCCESS


def test_garbage_is_not_acknowledged(tmp_path: Path) -> None:
    arriving = open_instance(tmp_path)
    arriving.write(b"\xde\xad" * 4000)
    assert arriving.finish() is StorageStatus.CANNOT_UNDERSTAND
    assert files(tmp_path) == []


def test_a_dataset_with_another_uid_is_refused(tmp_path: Path) -> None:
    arriving = open_instance(tmp_path, uid="1.2.99")
    arriving.write(encode(make_dataset(), EXPLICIT))
    assert arriving.finish() is StorageStatus.DATA_SET_DOES_NOT_MATCH_SOP_CLASS
    assert files(tmp_path) == []


def test_a_uid_that_is_a_path_never_reaches_the_disk(tmp_path: Path) -> None:
    arriving = open_instance(tmp_path / "a" / "b", uid="../../escaped")
    arriving.write(encode(make_dataset(), EXPLICIT))
    assert arriving.finish() is StorageStatus.CANNOT_UNDERSTAND
    assert files(tmp_path) == []


def test_a_nearly_full_disk_is_answered_with_out_of_resources(tmp_path: Path) -> None:
    """A700 (PS3.4 table B.2-1), before anything is written."""
    arriving = open_instance(tmp_path, minimum_free_bytes=1 << 60)
    arriving.write(b"x" * 100)
    assert arriving.finish() is StorageStatus.OUT_OF_RESOURCES
    assert files(tmp_path) == []


def test_an_instance_larger_than_allowed_is_refused_and_removed(tmp_path: Path) -> None:
    arriving = open_instance(tmp_path, maximum_bytes=1000)
    for _ in range(20):
        arriving.write(b"x" * 100)
    assert arriving.finish() is StorageStatus.OUT_OF_RESOURCES
    assert files(tmp_path) == []


def test_a_disk_that_fails_at_the_end_is_not_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fsync is part of the promise."""

    def fail(_: SpoolFile) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SpoolFile, "commit", fail)
    arriving = open_instance(tmp_path)
    arriving.write(encode(make_dataset(), EXPLICIT))
    assert arriving.finish() is StorageStatus.OUT_OF_RESOURCES
    assert files(tmp_path) == []


def test_a_sender_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    arriving = open_instance(tmp_path)
    arriving.write(b"\x08\0")
    arriving.abandon()
    assert files(tmp_path) == []
