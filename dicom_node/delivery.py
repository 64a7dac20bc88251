"""One delivery of one result to one destination: store, confirm, or say why not."""

import logging
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from pydicom.dataset import Dataset

from dicom_node.audit import INSTANCES_TRANSFERRED, AuditTrail
from dicom_node.clinical_source.fhir_delivery import FhirDelivery
from dicom_node.clinical_source.opening import open_fhir_source
from dicom_node.dispatch import Dispatch
from dicom_node.errors import PeerError
from dicom_node.index import Row
from dicom_node.ledger import Ledger
from dicom_node.model_switch import OFF_REASON, ModelSwitches
from dicom_node.peers import CommitmentNotOfferedError, PeerClient
from dicom_node.settings import Configuration, Destination, Peer
from dicom_node.transfers import Transfers, name_kinds
from dicom_node.web_client import RetryLaterError
from dicom_node.web_delivery import WebDelivery

log = logging.getLogger(__name__)

ANSWER_POLL_SECONDS = 0.25
SECONDS_PER_DAY = 86400.0
# The SR names the other objects, so it goes last.
ORDER = {"SEG": 0, "RTSTRUCT": 1, "SC": 2, "PDF": 3, "SR": 4}


def pause_before_try(tries: int, destination: Destination) -> float:
    """Seconds to wait after ``tries`` failures: doubling, bounded."""
    if tries == 0:
        return 0.0
    pause = destination.first_retry_seconds * 2.0 ** min(tries - 1, 30)
    return min(pause, destination.maximum_retry_seconds)


def paused_until_try(tries: int, destination: Destination) -> float:
    """Seconds of all pauses up to a try.

    What has been waited is told by the tries, not by the clock: a clock that jumps a week
    ahead must not throw away deliveries, and a node that was off has not tried meanwhile.
    """
    return sum(pause_before_try(number, destination) for number in range(tries + 1))


def new_transaction_uid() -> str:
    """A Transaction UID under 2.25 (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


class Courier:
    """Delivers; everything it sends has the same UIDs on every try."""

    def __init__(
        self, configuration: Configuration, ledger: Ledger, dispatch: Dispatch,
        client: PeerClient, audit: AuditTrail,
    ) -> None:  # fmt: skip
        self._configuration, self._audit = configuration, audit
        self._ledger, self._dispatch, self._client = ledger, dispatch, client
        self._results = configuration.shared / "results"
        self._transfers = Transfers(ledger.index.engine)
        self._switches = ModelSwitches(configuration, ledger.index)
        self._web = WebDelivery(configuration, self._transfers)
        self._fhir = FhirDelivery(
            lambda name: open_fhir_source(configuration.find_fhir(name), configuration.clinical),
            configuration.clinical.issuer,
        )

    def deliver(self, job_id: str, destination_name: str) -> None:
        """Try once; what came of it is in the database."""
        row = self._dispatch.find_delivery(job_id, destination_name)
        job = self._ledger.find_job(job_id)
        if row is not None and job is not None and self._switches.is_held(job):
            self._dispatch.note_failure(job_id, destination_name, row["tries"] + 1, OFF_REASON)
            return
        if row is not None and job is not None and row["state"] == "planned":
            destination = self._configuration.find_destination(destination_name)
            if destination is None:
                text = f"No destination is named {destination_name!r} any more"
                self._dispatch.end_delivery(job_id, destination_name, "dead", text)
            else:
                self._try_and_note(row, job, destination)
        self._ledger.settle(job_id)

    def _try_and_note(self, row: Row, job: Row, destination: Destination) -> None:
        try:
            text = self._try(job, destination)
        except PeerError as error:
            self._record(job, destination, is_success=False)
            if isinstance(error, RetryLaterError) and error.seconds > 0:
                self._transfers.hold(job["job_id"], destination.name, error.seconds)
            self.note_failure(row, destination, str(error))
            return
        except OSError as error:
            self.note_failure(row, destination, f"{type(error).__name__}: {error.strerror}")
            return
        self._dispatch.end_delivery(job["job_id"], destination.name, "delivered", text)
        self._record(job, destination, is_success=True)

    def _record(self, job: Row, destination: Destination, *, is_success: bool) -> None:
        if destination.web:
            participant = self._configuration.find_web(destination.web).url
        elif destination.fhir:
            participant = self._configuration.find_fhir(destination.fhir).base_url
        else:
            participant = self._configuration.find_peer(destination.peer).ae_title
        self._audit.record(
            INSTANCES_TRANSFERRED,
            study_uid=job["study_uid"],
            participant=participant,
            is_success=is_success,
        )

    def pause_before(self, row: Row) -> float:
        """Seconds before the next try: doubling, and no sooner than the destination asked."""
        destination = self._configuration.find_destination(row["destination"])
        if destination is None:
            return 0.0
        held = self._transfers.seconds_held(row["job_id"], destination.name)
        return max(pause_before_try(row["tries"], destination), held)

    def note_failure(self, row: Row, destination: Destination, reason: str) -> None:
        """Count a failed try; after long enough the delivery is a dead letter."""
        tries = int(row["tries"]) + 1
        self._dispatch.note_failure(row["job_id"], destination.name, tries, reason)
        if paused_until_try(tries, destination) > destination.give_up_days * SECONDS_PER_DAY:
            text = f"Given up after {tries} tries: {reason}"
            self._dispatch.end_delivery(row["job_id"], destination.name, "dead", text)

    def _try(self, job: Row, destination: Destination) -> str:
        """Send and confirm; how it was confirmed.

        Raises:
            PeerError: Not sent or not confirmed.
        """
        if destination.fhir:
            return self._fhir.deliver(destination.fhir, self._results / job["job_id"])
        rows = [
            o for o in self._ledger.list_objects(job["job_id"]) if o["kind"] in destination.kinds
        ]
        if not rows:
            return "Nothing this destination can show"
        rows.sort(key=lambda row: ORDER[row["kind"]])
        folder: Path = self._results / job["job_id"]
        if destination.web:
            return self._web.deliver(job, destination, rows, folder)
        peer = self._configuration.find_peer(destination.peer)
        self._client.store(peer, [folder / row["name"] for row in rows])
        names = name_kinds(rows)
        if destination.confirm == "none":
            return f"{destination.name}: {names} stored"
        if destination.confirm == "commitment":
            try:
                self._commit(job["job_id"], destination, peer, rows)
            except CommitmentNotOfferedError:
                log.info("%s offers no storage commitment; reading back", peer.name)
            else:
                return f"{destination.name}: {names} stored and committed"
        self._read_back(peer, job["study_uid"], rows)
        return f"{destination.name}: {names} stored and found by C-FIND"

    def _commit(self, job_id: str, destination: Destination, peer: Peer, rows: list[Row]) -> None:
        transaction = new_transaction_uid()
        self._dispatch.open_transaction(transaction, job_id, destination.name)
        references = [(str(r["sop_class_uid"]), str(r["sop_instance_uid"])) for r in rows]
        take = self._report_taker(transaction)
        self._client.request_commitment(peer, transaction, references, take)
        deadline = time.monotonic() + destination.confirm_seconds
        while (answer := self._dispatch.read_answer(transaction)) is None:
            if time.monotonic() > deadline:
                raise PeerError(f"No commitment report within {destination.confirm_seconds:g} s")
            time.sleep(ANSWER_POLL_SECONDS)
        missing = {uid for _, uid in references} - answer.committed
        if missing:
            codes = sorted({f"0x{code:04X}" for code in answer.failed.values()})
            raise PeerError(f"{len(missing)} objects not committed ({', '.join(codes)})")

    def _report_taker(self, transaction: str) -> Callable[[Dataset], None]:
        """Takes a report that comes on the association of the request itself."""

        def take(report: Dataset) -> None:
            if str(report.TransactionUID) != transaction:
                return
            done = [
                str(i.ReferencedSOPInstanceUID) for i in report.get("ReferencedSOPSequence", [])
            ]
            failed = {
                str(i.ReferencedSOPInstanceUID): int(i.get("FailureReason", 0))
                for i in report.get("FailedSOPSequence", [])
            }
            self._dispatch.answer_transaction(transaction, done, failed)

        return take

    def _read_back(self, peer: Peer, study_uid: str, rows: list[Row]) -> None:
        found = self._client.find_instances(peer, study_uid)
        missing = [row["kind"] for row in rows if row["sop_instance_uid"] not in found]
        if missing:
            raise PeerError(f"{peer.name} took but does not show {', '.join(missing)}")
