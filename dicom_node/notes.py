"""Storage commitment messages that arrive at the listener, laid into the spool.

N-EVENT-REPORT tells what became of our own results; N-ACTION asks us to take
responsibility for what we received (PS3.4 annex J). Both are answered when durable.
"""

import logging
from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicom_node.dimse import Command, CommandField
from dicom_node.header import is_uid
from dicom_node.negotiation import STORAGE_COMMITMENT_PUSH
from dicom_node.spool import Spool, encode_file_meta
from dicom_node.status import GeneralStatus
from dicom_node.upper_layer import AcceptedContext

log = logging.getLogger(__name__)

REPORT = "report"
REQUEST = "request"


class NoteTaker:
    """Turns commitment messages into durable notes."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def take(self, command: Command, data: bytes, context: AcceptedContext, calling: str) -> int:
        """Store one message; the status to answer (PS3.7 annex C)."""
        if context.abstract_syntax != STORAGE_COMMITMENT_PUSH:
            return GeneralStatus.UNRECOGNIZED_OPERATION
        try:
            note = _read_note(data, context.transfer_syntax)
        except (ValueError, AttributeError, KeyError, TypeError, OSError, NotImplementedError):
            log.warning("Refused a commitment message that cannot be read, from %s", calling)
            return GeneralStatus.INVALID_ARGUMENT
        is_report = command.command_field == CommandField.N_EVENT_REPORT_RQ
        note["peer_title"] = calling
        try:
            self._spool.put_note(REPORT if is_report else REQUEST, note)
        except OSError:
            log.exception("Spool cannot store a commitment message")
            return GeneralStatus.PROCESSING_FAILURE
        return GeneralStatus.SUCCESS


def _read_note(data: bytes, transfer_syntax_uid: str) -> dict[str, object]:
    dataset = dcmread(BytesIO(_part10(data, transfer_syntax_uid)), force=True)
    transaction = str(dataset.TransactionUID)
    if not is_uid(transaction):
        raise ValueError("Transaction UID is malformed")
    return {
        "transaction_uid": transaction,
        "committed": [_reference(item) for item in dataset.get("ReferencedSOPSequence", [])],
        "failed": [
            [*_reference(item), int(item.get("FailureReason", 0))]
            for item in dataset.get("FailedSOPSequence", [])
        ],
    }


def _part10(data: bytes, transfer_syntax_uid: str) -> bytes:
    return encode_file_meta("1.2.840.10008.1.20.1", "1.2", UID(transfer_syntax_uid), "") + data


def _reference(item: Dataset) -> list[str]:
    pair = [str(item.ReferencedSOPClassUID), str(item.ReferencedSOPInstanceUID)]
    if not all(is_uid(uid) for uid in pair):
        raise ValueError("Referenced UID is malformed")
    return pair
