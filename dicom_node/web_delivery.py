"""Delivery by STOW-RS: what failed alone is sent again; done when QIDO-RS shows it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from dicom_node.errors import PeerError
from dicom_node.index import Row
from dicom_node.settings import Configuration, Destination, WebServer
from dicom_node.transfers import Transfers, name_kinds
from dicom_node.web_client import StoreAnswer, WebClient

OpenClient = Callable[[WebServer], WebClient]


class WebDelivery:
    """Sends one result to one DICOMweb destination."""

    def __init__(
        self,
        configuration: Configuration,
        transfers: Transfers,
        *,
        open_client: OpenClient = WebClient,
    ) -> None:
        self._configuration, self._transfers = configuration, transfers
        self._open_client = open_client

    def deliver(self, job: Row, destination: Destination, rows: Sequence[Row], folder: Path) -> str:
        """Store what has not been taken, then read back; how it was confirmed.

        Raises:
            RetryLaterError: The server asked to wait.
            PeerError: Something was not taken or is not shown.
        """
        client = self._open_client(self._configuration.find_web(destination.web))
        job_id, name = job["job_id"], destination.name
        taken = self._transfers.list_taken(job_id, name)
        waiting = [row for row in rows if row["sop_instance_uid"] not in taken]
        warned: list[str] = []
        if waiting:
            answer = client.store([folder / row["name"] for row in waiting])
            warned = self._note(job_id, destination, waiting, answer)
        kinds = name_kinds(rows)
        told = f" with warnings for {', '.join(warned)}" if warned else ""
        if destination.confirm == "none":
            return f"{name}: {kinds} stored by STOW-RS{told}"
        self._read_back(client, job, destination, rows)
        return f"{name}: {kinds} stored by STOW-RS{told} and found by QIDO-RS"

    def _note(
        self, job_id: str, destination: Destination, sent: Sequence[Row], answer: StoreAnswer
    ) -> list[str]:
        """Remember what was taken; the objects with warnings.

        Raises:
            PeerError: Something was not taken; the rest is remembered and not sent again.
        """
        uids = {str(row["sop_instance_uid"]): str(row["kind"]) for row in sent}
        stored = {uid: code for uid, code in answer.stored.items() if uid in uids}
        if answer.is_success or (not answer.is_told and destination.confirm != "none"):
            # 200 means all of them; anything else unreadable is decided by the read-back.
            stored = {uid: stored.get(uid, 0) for uid in uids if uid not in answer.failed}
        self._transfers.note_taken(job_id, destination.name, stored)
        missing = [uid for uid in uids if uid not in stored]
        if missing:
            told = ", ".join(f"{uids[u]} {_why(answer.failed.get(u))}" for u in missing)
            raise PeerError(f"{len(missing)} of {len(uids)} objects not stored: {told}")
        return [f"{uids[uid]} 0x{code:04X}" for uid, code in stored.items() if code]

    def _read_back(
        self, client: WebClient, job: Row, destination: Destination, rows: Sequence[Row]
    ) -> None:
        found = client.find_instances(job["study_uid"])
        missing = [row for row in rows if row["sop_instance_uid"] not in found]
        if missing:
            uids = [str(row["sop_instance_uid"]) for row in missing]
            self._transfers.forget_taken(job["job_id"], destination.name, uids)
            kinds = name_kinds(missing)
            raise PeerError(f"{destination.web} took but does not show {kinds}")


def _why(code: int | None) -> str:
    return "(no word on it)" if code is None else f"0x{code:04X}"
