"""The watched folder: taken in whole, rejects set aside, unfinished copies left alone."""

import os
import time
from pathlib import Path

import pytest

from dicom_node import watch_folder
from dicom_node.spool import Spool
from dicom_node.watch_folder import SETTLE_SECONDS, WatchFolder
from tests.dicom_node.test_completeness import Clock
from tests.dicom_node.testbed import make_ct, write_files


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def watch(tmp_path: Path, spool: Spool, clock: Clock) -> WatchFolder:
    (tmp_path / "in").mkdir()
    return WatchFolder(tmp_path / "in", spool, clock=clock)


def settle(watch: WatchFolder, clock: Clock) -> int:
    """Look, let the time pass, look again."""
    first = watch.collect()
    clock.seconds += SETTLE_SECONDS
    return first + watch.collect()


def test_settled_files_are_taken_in_and_removed(
    watch: WatchFolder, spool: Spool, clock: Clock, tmp_path: Path
) -> None:
    (path, *_) = write_files(make_ct(slices=2), tmp_path / "in" / "deeper")
    assert settle(watch, clock) == 2
    assert not path.exists()
    assert len(list(spool.new.iterdir())) == 2
    assert list(spool.tmp.iterdir()) == []


def test_a_file_that_still_grows_waits_whatever_the_clock_on_the_wall_says(
    watch: WatchFolder, spool: Spool, clock: Clock, tmp_path: Path
) -> None:
    """Its modification time lies far back, as after a copy that keeps it or a jump."""
    (path,) = write_files(make_ct(slices=1), tmp_path / "in")
    whole = path.read_bytes()
    for length in (len(whole) // 2, len(whole) - 1, len(whole)):
        path.write_bytes(whole[:length])
        os.utime(path, (time.time() - 1e6, time.time() - 1e6))
        assert watch.collect() == 0
        clock.seconds += SETTLE_SECONDS / 2
    clock.seconds += SETTLE_SECONDS / 2
    assert watch.collect() == 1


def test_what_is_no_dicom_is_set_aside(watch: WatchFolder, clock: Clock, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for text in ("hello", "hello again"):  # under the same name: both are kept
        (folder / "notes.txt").write_text(text)
        assert settle(watch, clock) == 0
        assert not (folder / "notes.txt").exists()
    kept = [path.read_text() for path in (folder / "rejected").glob("*-notes.txt")]
    assert sorted(kept) == ["hello", "hello again"]
    assert settle(watch, clock) == 0


@pytest.mark.parametrize("error", [RecursionError("deep"), PermissionError(13, "denied")])
def test_one_file_that_cannot_be_read_stops_no_other(
    watch: WatchFolder, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:  # fmt: skip
    bad, good = write_files(make_ct(slices=2), tmp_path / "in")
    real = watch_folder.read_file_meta_info

    def read(path: Path) -> object:
        if path == bad:
            raise error
        return real(path)

    monkeypatch.setattr(watch_folder, "read_file_meta_info", read)
    assert settle(watch, clock) == 1
    assert not good.exists()
    assert bad.exists() == isinstance(error, OSError)


def test_a_link_out_of_the_folder_is_not_followed(
    watch: WatchFolder, clock: Clock, tmp_path: Path
) -> None:
    (outside,) = write_files(make_ct(slices=1), tmp_path / "elsewhere")
    (tmp_path / "in" / "link.dcm").symlink_to(outside)
    assert settle(watch, clock) == 0
    assert outside.exists()
