"""From spool to index: nothing lost, nothing doubled, whatever the crash."""

import tracemalloc
import zlib
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_node import inbox as inbox_module
from dicom_node.audit import AuditTrail
from dicom_node.header import DEFLATED
from dicom_node.inbox import Inbox
from dicom_node.index import Arrival, Index
from dicom_node.reception import Reception
from dicom_node.settings import Configuration
from dicom_node.spool import Spool
from tests.dicom_node.test_header import EXPLICIT, encode
from tests.dicom_node.testbed import make_ct


@pytest.fixture
def spool(configuration: Configuration) -> Spool:
    return Spool(configuration.spool)


@pytest.fixture
def inbox(configuration: Configuration, spool: Spool, index: Index) -> Inbox:
    return Inbox(spool, index, configuration.shared, AuditTrail(configuration))


def receive(spool: Spool, dataset: Dataset, source: str = "SENDER") -> None:
    reception = Reception(spool, maximum_bytes=1 << 30, minimum_free_bytes=0)
    uid, sop_class = str(dataset.SOPInstanceUID), str(dataset.SOPClassUID)
    arriving = reception.begin(sop_class, uid, EXPLICIT, source)
    plain = Dataset()
    plain.update({e.tag: e for e in dataset})
    arriving.write(encode(plain, EXPLICIT))
    assert arriving.finish() == 0


def test_an_instance_gets_a_row_a_file_and_leaves_the_spool(
    inbox: Inbox, spool: Spool, index: Index, configuration: Configuration
) -> None:
    (image,) = make_ct(slices=1)
    receive(spool, image)
    assert inbox.drain() == 1
    (row,) = index.list_instances(image.StudyInstanceUID)
    assert (row["modality"], row["source"], row["is_conflict"]) == ("CT", "SENDER", False)
    assert (configuration.shared / row["path"]).is_file()
    assert list(spool.new.iterdir()) == []


def test_no_identifier_of_the_patient_or_study_is_part_of_a_file_name(
    inbox: Inbox, spool: Spool, configuration: Configuration
) -> None:
    (image,) = make_ct(slices=1, patient="SECRET42")
    receive(spool, image)
    inbox.drain()
    names = " ".join(str(p) for p in configuration.shared.rglob("*"))
    assert "SECRET42" not in names
    assert str(image.SOPInstanceUID) not in names


def test_the_same_instance_twice_is_one_instance(inbox: Inbox, spool: Spool, index: Index) -> None:
    (image,) = make_ct(slices=1)
    for source in ("A", "B"):
        receive(spool, image, source)
        inbox.drain()
    assert len(index.list_instances(image.StudyInstanceUID)) == 1


def test_the_same_uid_with_other_content_is_kept_and_flagged(
    inbox: Inbox, spool: Spool, index: Index, configuration: Configuration
) -> None:
    (image,) = make_ct(slices=1)
    receive(spool, image)
    inbox.drain()
    image.PixelData = bytes(len(image.PixelData))
    receive(spool, image)
    inbox.drain()
    rows = index.list_instances(image.StudyInstanceUID)
    assert [row["is_conflict"] for row in rows] == [False, True]
    assert len({row["path"] for row in rows}) == 2
    assert all((configuration.shared / row["path"]).is_file() for row in rows)
    assert "conflict" in [e["kind"] for e in index.list_events(image.StudyInstanceUID)]


@pytest.mark.parametrize("instant", ["before the row", "after the row"])
def test_a_crash_within_the_drain_loses_and_doubles_nothing(
    inbox: Inbox, spool: Spool, index: Index, monkeypatch: pytest.MonkeyPatch, instant: str
) -> None:
    """The second drain does what the first one could not."""
    (image,) = make_ct(slices=1)
    receive(spool, image)

    def crash(*_: object, **__: object) -> None:
        raise SystemExit

    place, name = (Index, "enter") if instant == "before the row" else (Path, "unlink")
    with monkeypatch.context() as patch:
        patch.setattr(place, name, crash)
        with pytest.raises(SystemExit):
            inbox.drain()
    assert inbox.drain() == 1
    assert len(index.list_instances(image.StudyInstanceUID)) == 1
    assert list(spool.new.iterdir()) == []


def test_a_file_cut_short_before_its_acknowledgement_is_removed(inbox: Inbox, spool: Spool) -> None:
    (image,) = make_ct(slices=1)
    receive(spool, image)
    (path,) = spool.new.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    inbox.drain()
    assert list(spool.new.iterdir()) == []


def test_a_new_image_opens_a_finished_study_again(inbox: Inbox, spool: Spool, index: Index) -> None:
    first, second = make_ct(slices=2)
    receive(spool, first)
    inbox.drain()
    index.ignore_study(first.StudyInstanceUID, "test")
    receive(spool, second)
    inbox.drain()
    study = index.find_study(first.StudyInstanceUID)
    assert study is not None
    assert study["state"] == "receiving"


def test_a_file_no_reader_foresaw_is_laid_aside_and_the_next_one_is_entered(
    inbox: Inbox, spool: Spool, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_ct(slices=2)
    receive(spool, first)
    receive(spool, second)
    real = inbox_module.read_arrival
    answers = iter([RecursionError("odd"), None])

    def read(path: Path) -> Arrival:
        if error := next(answers):
            raise error
        return real(path)

    monkeypatch.setattr(inbox_module, "read_arrival", read)
    assert inbox.drain() == 2
    assert len(index.list_instances(second.StudyInstanceUID)) == 1
    assert len(list((spool.new.parent / "aside").iterdir())) == 1


def test_attributes_pydicom_cannot_read_cost_their_text_and_not_the_image(
    inbox: Inbox, spool: Spool, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("unknown encoding")

    monkeypatch.setattr(inbox_module, "dcmread", fail)
    (image,) = make_ct(slices=1)
    receive(spool, image)
    inbox.drain()
    (row,) = index.list_instances(image.StudyInstanceUID)
    assert row["modality"] == ""


def test_a_deflated_bomb_is_described_from_its_first_bytes(spool: Spool) -> None:
    """64 MB of zeros behind a good header: 64 kB on the wire."""
    (image,) = make_ct(slices=1)
    plain = Dataset()
    plain.update({e.tag: e for e in image if e.keyword != "PixelData"})
    bomb = encode(plain, EXPLICIT) + b"\xe0\x7f\x10\x00OW\0\0" + (64 << 20).to_bytes(4, "little")
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    data = packer.compress(bomb + bytes(64 << 20)) + packer.flush()
    reception = Reception(spool, maximum_bytes=1 << 30, minimum_free_bytes=0)
    arriving = reception.begin(image.SOPClassUID, image.SOPInstanceUID, DEFLATED[0], "X")
    arriving.write(data)
    assert arriving.finish() == 0
    tracemalloc.start()
    arrival = inbox_module.read_arrival(next(spool.new.iterdir()))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert arrival.modality == "CT"
    assert peak_bytes < 40 << 20


def test_an_image_whose_place_vanished_stays_in_the_spool(
    inbox: Inbox, spool: Spool, index: Index, configuration: Configuration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Retention removed the study's folder between the link and the row."""
    (image,) = make_ct(slices=1)
    receive(spool, image)
    real = index.enter

    def enter(arrivals: list[Arrival]) -> list[str]:
        for arrival in arrivals:
            (configuration.shared / arrival.path).unlink()
        return real(arrivals)

    monkeypatch.setattr(index, "enter", enter)
    inbox.drain()
    monkeypatch.undo()
    assert len(list(spool.new.iterdir())) == 1
    inbox.drain()
    (row,) = index.list_instances(image.StudyInstanceUID)
    assert (configuration.shared / row["path"]).is_file()
    assert list(spool.new.iterdir()) == []


def test_a_bad_sector_under_one_file_stops_no_other(
    inbox: Inbox, spool: Spool, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_ct(slices=2)
    receive(spool, first)
    receive(spool, second)
    bad = min(spool.new.iterdir())
    real = inbox_module.read_arrival

    def read(path: Path) -> Arrival:
        if path == bad:
            raise OSError(5, "Input/output error")
        return real(path)

    monkeypatch.setattr(inbox_module, "read_arrival", read)
    inbox.drain()
    assert list(spool.new.iterdir()) == [bad]
    assert len(index.list_instances(second.StudyInstanceUID)) == 1
    monkeypatch.undo()
    inbox.drain()
    assert len(index.list_instances(second.StudyInstanceUID)) == 2
