# ruff: noqa: ANN401
"""The node as a client, against a pynetdicom peer that answers as the test says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    CTImageStorage,
    MRImageStorage,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from dicom_node.errors import PeerError
from dicom_node.peers import CommitmentNotOfferedError, PeerClient
from dicom_node.retrieval import get_series
from dicom_node.settings import Peer
from tests.dicom_node.testbed import free_port, make_ct, write_files

FIND, GET, MOVE = (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)
Handlers = list[tuple[Any, Callable[[Any], Any]]]


@contextmanager
def peer_with(handlers: Handlers, *classes: str) -> Iterator[Peer]:
    """A peer on loopback that offers these classes."""
    entity = AE("PEER")
    for sop_class in classes:
        is_stored = sop_class == CTImageStorage
        roles = {"scu_role": True, "scp_role": True} if is_stored else {}
        entity.add_supported_context(sop_class, **roles)  # type: ignore[arg-type]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        port = server.socket.getsockname()[1]  # type: ignore[union-attr]
        yield Peer(name="pacs", ae_title="PEER", host="127.0.0.1", port=port)
    finally:
        server.shutdown()


@pytest.fixture
def client() -> PeerClient:
    return PeerClient("NODE")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_files(make_ct(slices=3), tmp_path / "files")


def test_an_echo_is_answered(client: PeerClient) -> None:
    with peer_with([], Verification) as peer:
        client.echo(peer)


# pynetdicom leaves the socket of a refused connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nobody_there_is_a_fault_of_the_peer(client: PeerClient) -> None:
    peer = Peer(name="pacs", ae_title="PEER", host="127.0.0.1", port=free_port())
    with pytest.raises(PeerError, match="pacs: no connection"):
        client.echo(peer)


def test_a_rejected_association_is_told_apart(client: PeerClient) -> None:
    entity = AE("PEER")
    entity.add_supported_context(Verification)
    entity.require_called_aet = True
    server = entity.start_server(("127.0.0.1", 0), block=False)
    try:
        port = server.socket.getsockname()[1]  # type: ignore[union-attr]
        peer = Peer(name="pacs", ae_title="OTHER", host="127.0.0.1", port=port)
        with pytest.raises(PeerError, match="pacs: association rejected"):
            client.echo(peer)
    finally:
        server.shutdown()


@pytest.mark.parametrize("status", [0x0000, 0x0111, 0xB000, 0xB007])
def test_success_duplicates_and_warnings_count_as_stored(
    client: PeerClient, files: list[Path], status: int
) -> None:
    taken = []

    def on_store(event: Any) -> int:
        taken.append(event.request.AffectedSOPInstanceUID)
        return status

    with peer_with([(evt.EVT_C_STORE, on_store)], CTImageStorage) as peer:
        client.store(peer, files)
    assert len(taken) == 3


@pytest.mark.parametrize("status", [0xA700, 0xA900, 0xC000, 0x0122])
def test_a_refusal_ends_the_try_with_its_status(
    client: PeerClient, files: list[Path], status: int
) -> None:
    with (
        peer_with([(evt.EVT_C_STORE, lambda _: status)], CTImageStorage) as peer,
        pytest.raises(PeerError, match=f"refused CT Image Storage with status 0x{status:04X}"),
    ):
        client.store(peer, files)


def test_a_class_that_is_not_offered_is_named(client: PeerClient, files: list[Path]) -> None:
    with (
        peer_with([], Verification) as peer,
        pytest.raises(PeerError, match="does not offer CT Image Storage"),
    ):
        client.store(peer, files)


def test_one_class_of_two_that_is_not_offered_is_named(
    client: PeerClient, files: list[Path]
) -> None:
    other = make_ct(slices=1)[0]
    other.SOPClassUID = other.file_meta.MediaStorageSOPClassUID = MRImageStorage
    paths = [files[0], *write_files([other], files[0].parent / "other")]
    with (
        peer_with([(evt.EVT_C_STORE, lambda _: 0)], CTImageStorage) as peer,
        pytest.raises(PeerError, match="does not take MR Image Storage"),
    ):
        client.store(peer, paths)


def test_a_peer_that_aborts_in_the_middle_is_a_fault_of_the_peer(
    client: PeerClient, files: list[Path]
) -> None:
    def abort(event: Any) -> int:
        event.assoc.abort()
        return 0

    with (
        peer_with([(evt.EVT_C_STORE, abort)], CTImageStorage) as peer,
        pytest.raises(PeerError, match="closed the association without an answer"),
    ):
        client.store(peer, files)


def test_commitment_that_is_not_offered_is_told_apart(client: PeerClient) -> None:
    with peer_with([], Verification) as peer, pytest.raises(CommitmentNotOfferedError):
        client.request_commitment(peer, "1.2", [("1.2.3", "1.2.4")], lambda _: None)


def test_a_commitment_request_names_every_object(client: PeerClient) -> None:
    asked: list[Dataset] = []

    def on_action(event: Any) -> tuple[int, None]:
        asked.append(event.action_information)
        return 0x0000, None

    handlers: Handlers = [(evt.EVT_N_ACTION, on_action)]
    with peer_with(handlers, StorageCommitmentPushModel) as peer:
        client.request_commitment(peer, "2.25.9", [("1.2", "1.3"), ("1.2", "1.4")], lambda _: None)
    assert asked[0].TransactionUID == "2.25.9"
    uids = [i.ReferencedSOPInstanceUID for i in asked[0].ReferencedSOPSequence]
    assert uids == ["1.3", "1.4"]


def study_query() -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel, query.StudyInstanceUID = "STUDY", ""
    return query


def series_answers(*counts: int | None) -> Callable[[Any], Iterator[Any]]:
    def on_find(_: Any) -> Iterator[Any]:
        for number, count in enumerate(counts):
            answer = Dataset()
            answer.QueryRetrieveLevel = "SERIES"
            answer.SeriesInstanceUID = f"1.2.{number}"
            if count is not None:
                answer.NumberOfSeriesRelatedInstances = count
            yield 0xFF00, answer
        yield 0x0000, None

    return on_find


def test_series_are_counted(client: PeerClient) -> None:
    with peer_with([(evt.EVT_C_FIND, series_answers(3, 5))], FIND) as peer:
        assert client.count_series(peer, "1.2") == {"1.2.0": 3, "1.2.1": 5}


def test_a_peer_that_does_not_count_says_so(client: PeerClient) -> None:
    """Zero and "not told" must not be the same: completeness rests on it."""
    with (
        peer_with([(evt.EVT_C_FIND, series_answers(None))], FIND) as peer,
        pytest.raises(PeerError, match="does not count"),
    ):
        client.count_series(peer, "1.2")


def test_a_failed_query_is_no_empty_answer(client: PeerClient) -> None:
    def on_find(_: Any) -> Iterator[Any]:
        yield 0xA700, None

    with (
        peer_with([(evt.EVT_C_FIND, on_find)], FIND) as peer,
        pytest.raises(PeerError, match="0xA700"),
    ):
        client.find(peer, study_query())


def test_answers_are_bounded(client: PeerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicom_node.peers.MAXIMUM_ANSWERS", 3)
    with (
        peer_with([(evt.EVT_C_FIND, series_answers(*range(20)))], FIND) as peer,
        pytest.raises(PeerError, match="more than 3 answers"),
    ):
        client.find(peer, study_query())


def test_a_move_to_an_unknown_title_is_told(client: PeerClient) -> None:
    def on_move(_: Any) -> Iterator[Any]:
        yield None, None

    with (
        peer_with([(evt.EVT_C_MOVE, on_move)], MOVE) as peer,
        pytest.raises(PeerError, match="0xA801"),
    ):
        client.move_study(peer, "1.2", "NOBODY")


def serving(images: list[Dataset]) -> Handlers:
    """A peer that answers C-GET with these images."""

    def on_get(_: Any) -> Iterator[Any]:
        yield len(images)
        for image in images:
            yield 0xFF00, image

    return [(evt.EVT_C_GET, on_get)]


def test_a_series_is_fetched_as_part_10_files(client: PeerClient, tmp_path: Path) -> None:
    images = make_ct(slices=3)
    got: list[bytes] = []
    with peer_with(serving(images), GET, CTImageStorage) as peer:
        count = get_series(client, peer, "1.2", "1.3", take=got.append, maximum_bytes=1 << 20)
    assert count == 3
    assert all(data[128:132] == b"DICM" for data in got)
    assert all(image.PixelData in data for image, data in zip(images, got, strict=True))


def test_a_peer_that_sends_more_than_agreed_is_cut_off(client: PeerClient) -> None:
    """Before the bytes are in memory, not after."""
    images = make_ct(slices=2, size=512)
    with (
        peer_with(serving(images), GET, CTImageStorage) as peer,
        pytest.raises(PeerError, match="more bytes than the rule allows"),
    ):
        get_series(client, peer, "1.2", "1.3", take=lambda _: None, maximum_bytes=100_000)


def test_a_full_disk_ends_the_retrieval(client: PeerClient) -> None:
    def take(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    with (
        peer_with(serving(make_ct(slices=2)), GET, CTImageStorage) as peer,
        pytest.raises(OSError, match="No space left"),
    ):
        get_series(client, peer, "1.2", "1.3", take=take, maximum_bytes=1 << 20)


def test_a_peer_without_c_get_says_so(client: PeerClient) -> None:
    with (
        peer_with([], Verification, CTImageStorage) as peer,
        pytest.raises(PeerError, match="offers no C-GET"),
    ):
        get_series(client, peer, "1.2", "1.3", take=lambda _: None, maximum_bytes=1 << 20)
