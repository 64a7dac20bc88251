"""Fetching one series from a peer on an association of our own (C-GET, PS3.4 C.4.3)."""

from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import build_role, evt
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet

from dicom_node.errors import NodeError, PeerError
from dicom_node.peers import PENDING, SUCCESS, PeerClient, status_of
from dicom_node.settings import Peer
from dicom_node.status import StorageStatus

# Images and segmentations a longitudinal model can use (PS3.4 B.5).
STORAGE = "1.2.840.10008.5.1.4.1.1."
CLASSES = tuple(
    STORAGE + tail for tail in (
        "2", "2.1", "2.2",  # CT, Enhanced CT, Legacy Converted Enhanced CT
        "4", "4.1", "4.4",  # MR, Enhanced MR, Legacy Converted Enhanced MR
        "128", "130",  # PET, Enhanced PET
        "66.4", "66.7",  # Segmentation, Label Map Segmentation
        "88.33", "88.34",  # Comprehensive SR, Comprehensive 3D SR
    )
)  # fmt: skip
# One context each, so that the peer can send every instance as it holds it.
SYNTAXES = tuple(
    "1.2.840.10008.1.2" + tail
    for tail in (".1", "", ".4.70", ".4.57", ".4.80", ".4.81", ".4.90", ".4.91", ".5")
)

TakeInstance = Callable[[bytes], None]


def _make_contexts() -> list[PresentationContext]:
    contexts = [build_context(StudyRootQueryRetrieveInformationModelGet)]
    return contexts + [build_context(c, t) for c in CLASSES for t in SYNTAXES]


def get_series(
    client: PeerClient, peer: Peer, study_uid: str, series_uid: str, *, take: TakeInstance,
    maximum_bytes: int,
) -> int:  # fmt: skip
    """C-GET one series; every instance is handed over as the bytes of a Part 10 file.

    Args:
        take: Keeps one instance; a NodeError or OSError it raises ends the retrieval.
        maximum_bytes: More than this from the peer, and the connection is cut.

    Returns:
        Number of instances.

    Raises:
        PeerError: The peer does not offer C-GET, failed, or sent too much.
        NodeError, OSError: What ``take`` raised.
    """
    taking = _Taking(take, maximum_bytes)
    query = Dataset()
    query.QueryRetrieveLevel = "SERIES"
    query.StudyInstanceUID, query.SeriesInstanceUID = study_uid, series_uid
    model = StudyRootQueryRetrieveInformationModelGet
    handlers = [(evt.EVT_C_STORE, taking.on_store), (evt.EVT_DATA_RECV, taking.on_bytes)]
    roles = [build_role(c, scp_role=True) for c in CLASSES]
    with client.associate(peer, _make_contexts(), handlers=handlers, roles=roles) as association:
        if not any(c.abstract_syntax == model for c in association.accepted_contexts):
            raise PeerError(f"{peer.name} offers no C-GET")
        for status, _ in association.send_c_get(query, model):
            if taking.error is not None:
                association.abort()
                break
            code = status_of(status)
            failed = int(status.get("NumberOfFailedSuboperations", 0) or 0)
            if code not in (SUCCESS, *PENDING) or (code == SUCCESS and failed):
                raise PeerError(
                    f"{peer.name} ended C-GET with status 0x{code:04X}, {failed} not sent"
                )
    if taking.error is not None:
        raise taking.error
    return taking.count


class _Taking:
    """Counts and keeps what comes; the first error is remembered."""

    def __init__(self, take: TakeInstance, maximum_bytes: int) -> None:
        self._take, self._bytes_left = take, maximum_bytes
        self.count = 0
        self.error: NodeError | OSError | None = None

    def on_bytes(self, event: Any) -> None:  # noqa: ANN401
        """Cut the connection of a peer that sends more than was agreed to hold."""
        self._bytes_left -= len(event.data)
        if self._bytes_left < 0 and self.error is None:
            self.error = PeerError("The peer sent more bytes than the rule allows")
            event.assoc.dul.socket.close()

    def on_store(self, event: Any) -> int:  # noqa: ANN401
        """Keep one instance; refuse everything after an error."""
        if self.error is None:
            try:
                self._take(event.encoded_dataset())
            except (NodeError, OSError) as error:
                self.error = error
            else:
                self.count += 1
                return StorageStatus.SUCCESS
        return StorageStatus.OUT_OF_RESOURCES
