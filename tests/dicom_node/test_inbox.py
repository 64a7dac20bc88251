"""From spool to index: nothing lost, nothing doubled, whatever the crash."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_node.audit import AuditTrail
from dicom_node.inbox import Inbox
from dicom_node.index import Index
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
