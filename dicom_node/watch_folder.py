"""A folder as a door: DICOM files laid there are taken in and removed."""

import logging
import time
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from dicom_node.reception import Reception
from dicom_node.spool import Spool
from dicom_node.status import StorageStatus

log = logging.getLogger(__name__)

SETTLE_SECONDS = 2.0
CHUNK = 1 << 20
SOURCE = "WATCH_FOLDER"
MAXIMUM_BYTES = 4 << 30
MINIMUM_FREE_BYTES = 1 << 28


class WatchFolder:
    """Takes files that have not changed for two seconds; others wait, rejects go aside."""

    def __init__(self, folder: Path | None, spool: Spool) -> None:
        self._folder = folder
        self._reception = Reception(
            spool, maximum_bytes=MAXIMUM_BYTES, minimum_free_bytes=MINIMUM_FREE_BYTES
        )

    def collect(self) -> int:
        """Take in what is ready; the number of files taken."""
        if self._folder is None or not self._folder.is_dir():
            return 0
        taken = 0
        for path in sorted(self._folder.rglob("*")):
            if "rejected" in path.parts or not path.is_file() or path.is_symlink():
                continue
            if time.time() - path.stat().st_mtime >= SETTLE_SECONDS:
                taken += self._take(path)
        return taken

    def _take(self, path: Path) -> bool:
        try:
            status = store_file(path, self._reception, SOURCE)
        except (InvalidDicomError, EOFError, ValueError):
            status = StorageStatus.CANNOT_UNDERSTAND
        if status is StorageStatus.SUCCESS:
            path.unlink()
            return True
        if status is not StorageStatus.OUT_OF_RESOURCES and self._folder is not None:
            aside = self._folder / "rejected"
            aside.mkdir(exist_ok=True)
            # Another file of that name may have been rejected before; both are kept.
            path.rename(aside / f"{time.time_ns()}-{path.name}"[-255:])
            log.warning("A file of the watched folder was rejected: %s", status.name)
        return False


def store_file(path: Path, reception: Reception, source: str) -> StorageStatus:
    """Take a Part 10 file in through the same checks as C-STORE.

    Raises:
        InvalidDicomError: No Part 10 file.
    """
    with path.open("rb") as file:
        meta = dcmread(
            file, specific_tags=["SOPInstanceUID", "SOPClassUID"], stop_before_pixels=True
        )
        file.seek(128 + 4)
        head = file.read(12)
        if meta.file_meta.get("TransferSyntaxUID") is None or len(head) < 12:
            raise InvalidDicomError("No transfer syntax")
        file.seek(144 + int.from_bytes(head[8:12], "little"))
        arriving = reception.begin(
            str(meta.get("SOPClassUID", "")),
            str(meta.get("SOPInstanceUID", "")),
            str(meta.file_meta.TransferSyntaxUID),
            source,
        )
        while chunk := file.read(CHUNK):
            arriving.write(chunk)
    return arriving.finish()
