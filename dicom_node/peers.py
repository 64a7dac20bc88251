"""The node as a client of other DICOM applications (pynetdicom)."""

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, _config, build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from dicom_node.errors import PeerError
from dicom_node.listener import CIPHERS
from dicom_node.settings import Peer, Tls

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
SUCCESS, DUPLICATE_SOP_INSTANCE = 0x0000, 0x0111
REQUEST_COMMITMENT, ALL_COMMITTED, FAILURES_EXIST = 1, 1, 2
PENDING = (0xFF00, 0xFF01)
MAXIMUM_ANSWERS = 100_000
NO_SUCH_OBJECT = 0x0112

TakeReport = Callable[[Dataset], None]


class CommitmentNotOfferedError(PeerError):
    """The peer does not take storage commitment requests."""


class NothingAcceptedError(PeerError):
    """The peer speaks DICOM and accepted none of the proposed services."""


class PeerClient:
    """Talks to peers under the node's own AE title."""

    def __init__(self, ae_title: str) -> None:
        # pynetdicom's standard handlers log identifiers and cost a tenth of the throughput.
        _config.LOG_HANDLER_LEVEL = "none"
        self._ae_title = ae_title

    def echo(self, peer: Peer) -> None:
        """C-ECHO.

        Raises:
            PeerError: No answer, or not Success.
        """
        with self.associate(peer, [build_context(Verification)]) as association:
            _check(association.send_c_echo(), f"{peer.name} did not answer C-ECHO")

    def store(self, peer: Peer, files: Sequence[Path]) -> None:
        """C-STORE files, in order, in the transfer syntax they are in.

        Raises:
            PeerError: A file was not taken; those before it were.
        """
        datasets = [dcmread(path) for path in files]
        wanted = {(d.SOPClassUID, d.file_meta.TransferSyntaxUID) for d in datasets}
        contexts = [build_context(c, t) for c, t in sorted(wanted)]
        with self.associate(peer, contexts) as association:
            for dataset in datasets:
                try:
                    status = association.send_c_store(dataset)
                except ValueError as error:
                    raise PeerError(
                        f"{peer.name} does not take {dataset.SOPClassUID.name}"
                    ) from error
                code = status_of(status)
                if code not in (SUCCESS, DUPLICATE_SOP_INSTANCE) and code & 0xF000 != 0xB000:
                    name = dataset.SOPClassUID.name
                    raise PeerError(f"{peer.name} refused {name} with status 0x{code:04X}")

    def request_commitment(
        self, peer: Peer, transaction_uid: str, references: Sequence[tuple[str, str]],
        take_report: TakeReport,
    ) -> None:  # fmt: skip
        """N-ACTION of storage commitment (PS3.4 J.3.2).

        Args:
            references: (SOP class, SOP instance) of what is to be committed.
            take_report: Called when the report comes on this same association.

        Raises:
            CommitmentNotOfferedError: The peer has no such service.
            PeerError: It could not be asked.
        """
        request = Dataset()
        request.TransactionUID = transaction_uid
        request.ReferencedSOPSequence = [_reference(*pair) for pair in references]

        def on_report(event: Any) -> tuple[int, None]:  # noqa: ANN401
            take_report(event.event_information)
            return SUCCESS, None

        contexts = [build_context(StorageCommitmentPushModel)]
        handlers = [(evt.EVT_N_EVENT_REPORT, on_report)]
        with (
            _unless_offered(peer),
            self.associate(peer, contexts, handlers=handlers) as association,
        ):
            status, _ = association.send_n_action(
                request,
                REQUEST_COMMITMENT,
                StorageCommitmentPushModel,
                StorageCommitmentPushModelInstance,
            )
            code = status_of(status)
            if code == 0x0211:
                raise CommitmentNotOfferedError(f"{peer.name} does not know storage commitment")
            _check(status, f"{peer.name} refused the commitment request")

    def report_commitment(
        self, peer: Peer, transaction_uid: str, held: Sequence[tuple[str, str]],
        missing: Sequence[tuple[str, str]],
    ) -> None:  # fmt: skip
        """N-EVENT-REPORT as the commitment SCP, on an association of our own (PS3.4 J.3.3).

        Raises:
            PeerError: The report was not taken.
        """
        report = Dataset()
        report.TransactionUID = transaction_uid
        report.ReferencedSOPSequence = [_reference(*pair) for pair in held]
        if missing:
            report.FailedSOPSequence = [_reference(*pair) for pair in missing]
            for item in report.FailedSOPSequence:
                item.FailureReason = NO_SUCH_OBJECT
        roles = [build_role(StorageCommitmentPushModel, scp_role=True)]
        contexts = [build_context(StorageCommitmentPushModel)]
        with self.associate(peer, contexts, roles=roles) as association:
            status, _ = association.send_n_event_report(
                report,
                FAILURES_EXIST if missing else ALL_COMMITTED,
                StorageCommitmentPushModel,
                StorageCommitmentPushModelInstance,
            )
            _check(status, f"{peer.name} did not take the commitment report")

    def count_series(self, peer: Peer, study_uid: str) -> dict[str, int]:
        """Number of instances the peer has of each series of a study.

        Raises:
            PeerError: No answer, or the peer does not count.
        """
        query = Dataset()
        query.QueryRetrieveLevel = "SERIES"
        query.StudyInstanceUID = study_uid
        query.SeriesInstanceUID = ""
        query.NumberOfSeriesRelatedInstances = ""
        counts = {}
        for answer in self.find(peer, query):
            number = answer.get("NumberOfSeriesRelatedInstances")
            if number is None:
                raise PeerError(f"{peer.name} does not count instances")
            counts[str(answer.SeriesInstanceUID)] = int(number)
        return counts

    def find_instances(self, peer: Peer, study_uid: str) -> set[str]:
        """SOP Instance UIDs the peer has of a study.

        Raises:
            PeerError: No answer.
        """
        query = Dataset()
        query.QueryRetrieveLevel = "SERIES"
        query.StudyInstanceUID = study_uid
        query.SeriesInstanceUID = ""
        found = set()
        for series in [str(answer.SeriesInstanceUID) for answer in self.find(peer, query)]:
            deeper = Dataset()
            deeper.QueryRetrieveLevel = "IMAGE"
            deeper.StudyInstanceUID = study_uid
            deeper.SeriesInstanceUID = series
            deeper.SOPInstanceUID = ""
            found |= {str(answer.SOPInstanceUID) for answer in self.find(peer, deeper)}
        return found

    def find(self, peer: Peer, query: Dataset) -> list[Dataset]:
        """C-FIND, study root.

        Raises:
            PeerError: No answer, or not Success at the end.
        """
        answers = []
        model = StudyRootQueryRetrieveInformationModelFind
        with self.associate(peer, [build_context(model)]) as association:
            for status, answer in association.send_c_find(query, model):
                code = status_of(status)
                if code in PENDING and answer is not None:
                    answers.append(answer)
                    if len(answers) > MAXIMUM_ANSWERS:
                        association.abort()
                        raise PeerError(f"{peer.name} gave more than {MAXIMUM_ANSWERS} answers")
                elif code != SUCCESS:
                    raise PeerError(f"{peer.name} ended C-FIND with status 0x{code:04X}")
        return answers

    def move_study(
        self, peer: Peer, study_uid: str, destination_title: str, *, series_uid: str = ""
    ) -> int:
        """C-MOVE a study, or one series, to an AE title the peer knows.

        Returns:
            Number of instances the peer says it sent.

        Raises:
            PeerError: Not every instance was sent.
        """
        query = Dataset()
        query.QueryRetrieveLevel = "SERIES" if series_uid else "STUDY"
        query.StudyInstanceUID = study_uid
        if series_uid:
            query.SeriesInstanceUID = series_uid
        model = StudyRootQueryRetrieveInformationModelMove
        completed = 0
        with self.associate(peer, [build_context(model)]) as association:
            for status, _ in association.send_c_move(query, destination_title, model):
                code = status_of(status)
                completed = int(status.get("NumberOfCompletedSuboperations", 0) or 0)
                if code not in (SUCCESS, *PENDING):
                    raise PeerError(f"{peer.name} ended C-MOVE with status 0x{code:04X}")
                failed = int(status.get("NumberOfFailedSuboperations", 0) or 0)
                if code == SUCCESS and failed:
                    raise PeerError(f"{peer.name} could not send {failed} instances")
        return completed

    @contextmanager
    def associate(
        self, peer: Peer, contexts: list[PresentationContext], *,
        handlers: list[Any] | None = None, roles: list[Any] | None = None,
    ) -> Iterator[Association]:  # fmt: skip
        """An association with a peer, released at the end.

        Raises:
            PeerError: It was not accepted.
        """
        opened: list[bool] = []
        entity = AE(self._ae_title)
        entity.connection_timeout = CONNECT_SECONDS
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = ANSWER_SECONDS
        association = entity.associate(
            peer.host,
            peer.port,
            contexts=contexts,
            ae_title=peer.ae_title,
            ext_neg=roles,
            tls_args=make_client_tls(peer.tls, peer.host),
            evt_handlers=[
                (evt.EVT_CONN_OPEN, _send_at_once),
                (evt.EVT_CONN_OPEN, lambda _: opened.append(True)),
                (evt.EVT_DATA_SENT, _acknowledge_at_once),
                *(handlers or []),
            ],
        )
        if not association.is_established:
            if association.rejected_contexts:
                names = sorted({c.abstract_syntax.name for c in association.rejected_contexts})
                raise NothingAcceptedError(f"{peer.name} does not offer {', '.join(names[:3])}")
            raise PeerError(f"{peer.name}: {_why(association, is_open=bool(opened))}")
        try:
            yield association
        finally:
            if association.is_established:
                association.release()


def make_client_tls(tls: Tls, host: str) -> tuple[ssl.SSLContext, str] | None:
    """TLS towards a peer after BCP 195; None when none is configured."""
    if tls.authorities is None:
        return None
    context = ssl.create_default_context(cafile=str(tls.authorities))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context, host


def _send_at_once(event: Any) -> None:  # noqa: ANN401
    event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _acknowledge_at_once(event: Any) -> None:  # noqa: ANN401
    """A PACS with Nagle's algorithm on waits 40 ms for our acknowledgement otherwise."""
    connection = event.assoc.dul.socket.socket
    if connection is not None and hasattr(socket, "TCP_QUICKACK"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


@contextmanager
def _unless_offered(peer: Peer) -> Iterator[None]:
    try:
        yield
    except NothingAcceptedError as error:
        raise CommitmentNotOfferedError(f"{peer.name} offers no storage commitment") from error


def _why(association: Association, *, is_open: bool) -> str:
    if association.is_rejected:
        return "association rejected"
    return "association aborted" if is_open else "no connection"


def _reference(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item


def status_of(status: Dataset) -> int:
    """Status code of an answer.

    Raises:
        PeerError: The connection ended or timed out without an answer.
    """
    if "Status" not in status:
        raise PeerError("The peer closed the association without an answer")
    return int(status.Status)


def _check(status: Dataset, text: str) -> None:
    code = status_of(status)
    if code != SUCCESS:
        raise PeerError(f"{text} (status 0x{code:04X})")
