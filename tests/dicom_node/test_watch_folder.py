"""The watched folder: taken in whole, rejects set aside, unfinished copies left alone."""

import os
import time
from pathlib import Path

from dicom_node.spool import Spool
from dicom_node.watch_folder import WatchFolder
from tests.dicom_node.testbed import make_ct, write_files


def age(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 10, time.time() - 10))


def test_settled_files_are_taken_in_and_removed(tmp_path: Path) -> None:
    spool, folder = Spool(tmp_path / "spool"), tmp_path / "in"
    (path, *_) = write_files(make_ct(slices=2), folder / "deeper")
    age(folder)
    assert WatchFolder(folder, spool).collect() == 2
    assert not path.exists()
    assert len(list(spool.new.iterdir())) == 2


def test_a_file_that_still_grows_waits(tmp_path: Path) -> None:
    spool, folder = Spool(tmp_path / "spool"), tmp_path / "in"
    write_files(make_ct(slices=1), folder)
    assert WatchFolder(folder, spool).collect() == 0
    assert list(spool.new.iterdir()) == []


def test_what_is_no_dicom_is_set_aside(tmp_path: Path) -> None:
    spool, folder = Spool(tmp_path / "spool"), tmp_path / "in"
    folder.mkdir()
    watch = WatchFolder(folder, spool)
    for text in ("hello", "hello again"):  # under the same name: both are kept
        (folder / "notes.txt").write_text(text)
        age(folder)
        assert watch.collect() == 0
        assert not (folder / "notes.txt").exists()
    kept = [path.read_text() for path in (folder / "rejected").glob("*-notes.txt")]
    assert sorted(kept) == ["hello", "hello again"]
    assert watch.collect() == 0


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    spool, folder = Spool(tmp_path / "spool"), tmp_path / "in"
    (outside,) = write_files(make_ct(slices=1), tmp_path / "elsewhere")
    folder.mkdir()
    (folder / "link.dcm").symlink_to(outside)
    age(tmp_path / "elsewhere")
    assert WatchFolder(folder, spool).collect() == 0
    assert outside.exists()
